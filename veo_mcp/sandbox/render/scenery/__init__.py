"""Places, skies, water and weather: everything that stands still or belongs to a place."""
