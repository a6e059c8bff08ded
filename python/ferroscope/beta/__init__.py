"""Parts of v1's beta: OpenAI's realtime API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from . import openai as openai

__all__ = ["openai"]

__getattr__, __dir__ = lazy_names(__name__, {"openai": None})
