"""Prices of calls by the counts that a response gathered."""

from .calculate_cost import calculate_cost

__all__ = ["calculate_cost"]
