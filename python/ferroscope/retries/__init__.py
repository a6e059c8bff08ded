"""Calls that are made again after a failure.

`fallback` calls other models in turn. `tenacity.collect_errors` shows a prompt function the errors of the attempts
before, under tenacity's own decorator.
"""

from __future__ import annotations

from . import tenacity as tenacity
from .fallback import FallbackError, fallback

__all__ = ["FallbackError", "fallback", "tenacity"]
