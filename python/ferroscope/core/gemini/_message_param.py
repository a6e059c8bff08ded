"""The messages that calls to the Gemini API accept."""

from __future__ import annotations

from ..google._message_param import GoogleMessageParam as GeminiMessageParam

__all__ = ["GeminiMessageParam"]
