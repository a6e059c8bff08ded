"""The messages that calls to Mistral accept."""

from __future__ import annotations

from typing import TypeAlias

from ..base.message_param import BaseMessageParam
from ._sdk import AssistantMessage, SystemMessage, ToolMessage, UserMessage

MistralMessageParam: TypeAlias = AssistantMessage | SystemMessage | ToolMessage | UserMessage | BaseMessageParam
