"""The messages that a call of the Gemini API takes."""

from __future__ import annotations

from ..google._message_param import GoogleMessageParam as GeminiMessageParam

__all__ = ["GeminiMessageParam"]
