"""The messages that calls to Amazon Bedrock accept."""

from __future__ import annotations

from typing import TypeAlias

from ..base.message_param import BaseMessageParam
from ._types import SyncMessageTypeDef, ToolResultBlockMessageTypeDef, ToolUseBlockMessageTypeDef, UserMessageTypeDef

BedrockMessageParam: TypeAlias = (
    SyncMessageTypeDef
    | UserMessageTypeDef
    | ToolResultBlockMessageTypeDef
    | ToolUseBlockMessageTypeDef
    | BaseMessageParam
)
