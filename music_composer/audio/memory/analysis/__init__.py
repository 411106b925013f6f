"""What a memory compares and changes: steps, views, layers and colour of sound."""
