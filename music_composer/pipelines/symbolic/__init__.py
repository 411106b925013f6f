"""Jobs of the symbolic backend."""
