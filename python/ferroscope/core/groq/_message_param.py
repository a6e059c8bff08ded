"""The messages that a call of Groq takes."""

from __future__ import annotations

from typing import TypeAlias

from groq.types.chat import ChatCompletionMessageParam

from ..base.message_param import BaseMessageParam

GroqMessageParam: TypeAlias = ChatCompletionMessageParam | BaseMessageParam
