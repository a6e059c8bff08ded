"""Structured values that are read while the model writes them."""

from .reader import PartialReader

__all__ = ["PartialReader"]
