"""The messages that calls to OpenAI accept."""

from __future__ import annotations

from typing import TypeAlias

from openai.types.chat import ChatCompletionMessageParam

from ..base.message_param import BaseMessageParam

OpenAIMessageParam: TypeAlias = ChatCompletionMessageParam | BaseMessageParam
