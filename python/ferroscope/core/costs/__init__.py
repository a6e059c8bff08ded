"""The cost of calls from the counts of a response."""

from .calculate_cost import calculate_cost

__all__ = ["calculate_cost"]
