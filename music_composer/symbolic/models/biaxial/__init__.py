"""The biaxial model."""
