"""What a prompt says: its words, read into a plan. Knows nothing of pictures or sound."""
