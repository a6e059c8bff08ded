"""Cohere's chat format, version 2."""
