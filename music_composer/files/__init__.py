"""Files of ours: written whole, locked, swept, and known again."""
