"""The messages that calls of OpenAI accept."""

from __future__ import annotations

from typing import TypeAlias

from openai.types.chat import ChatCompletionMessageParam

from ..base.message_param import BaseMessageParam

OpenAIMessageParam: TypeAlias = ChatCompletionMessageParam | BaseMessageParam
