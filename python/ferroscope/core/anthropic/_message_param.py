"""The messages that calls to Anthropic accept."""

from __future__ import annotations

from typing import TypeAlias

from anthropic.types import MessageParam

from ..base.message_param import BaseMessageParam

AnthropicMessageParam: TypeAlias = MessageParam | BaseMessageParam
