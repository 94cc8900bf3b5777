"""What is drawn on and with: frames, colours, noise, camera, pens, captions. Knows no scene."""
