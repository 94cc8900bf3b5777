"""The soundtrack: music, ambience and loudness."""
