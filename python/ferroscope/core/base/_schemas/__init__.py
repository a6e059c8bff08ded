"""JSON schemas of tools and response models."""
