"""Structured values while the model is still writing them."""

from .reader import PartialReader

__all__ = ["PartialReader"]
