"""Calls that are made again after a failure.

`Retry` and `RateLimit` are the values of the options `retry=` and `rate_limit=` of calls, and an `Attempt` is the
record of one request. `fallback` calls other models in turn. `tenacity.collect_errors` passes the errors of earlier
attempts to a prompt function, under tenacity's own decorator.
"""

from __future__ import annotations

from ..core.base.retry import Attempt, RateLimit, Retry
from . import tenacity as tenacity
from .fallback import FallbackError, fallback

__all__ = ["Attempt", "FallbackError", "RateLimit", "Retry", "fallback", "tenacity"]
