"""Who and what moves in a scene: people, animals, vehicles."""
