"""Analysis of a memory's recordings: steps, views, layers and colour."""
