"""The types of messages and chunks under the names of v1."""

from __future__ import annotations

from ..._dialects.bedrock_converse.type_defs import (
    AssistantMessageTypeDef,
    AsyncMessageTypeDef,
    AsyncStreamOutputChunk,
    StreamOutputChunk,
    SyncMessageTypeDef,
    ToolResultBlockContentTypeDef,
    ToolResultBlockMessageTypeDef,
    ToolUseBlockContentTypeDef,
    ToolUseBlockMessageTypeDef,
    UserMessageTypeDef,
)
from ..._dialects.bedrock_converse.types import Client, ToolDescription, Usage

__all__ = [
    "AssistantMessageTypeDef",
    "AsyncMessageTypeDef",
    "AsyncStreamOutputChunk",
    "Client",
    "StreamOutputChunk",
    "SyncMessageTypeDef",
    "ToolDescription",
    "ToolResultBlockContentTypeDef",
    "ToolResultBlockMessageTypeDef",
    "ToolUseBlockContentTypeDef",
    "ToolUseBlockMessageTypeDef",
    "Usage",
    "UserMessageTypeDef",
]
