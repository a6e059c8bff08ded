"""The messages that calls to Groq accept."""

from __future__ import annotations

from typing import TypeAlias

from groq.types.chat import ChatCompletionMessageParam

from ..base.message_param import BaseMessageParam

GroqMessageParam: TypeAlias = ChatCompletionMessageParam | BaseMessageParam
