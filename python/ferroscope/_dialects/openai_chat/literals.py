"""The types of parameters that OpenAI's SDK names in some of its versions only."""

from __future__ import annotations

from typing import Literal, TypeAlias

ChatCompletionModality: TypeAlias = Literal["text", "audio"]
ChatCompletionReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None
