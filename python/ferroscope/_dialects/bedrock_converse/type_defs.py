"""The types of messages and chunks under the names of v1, which are those of the SDKs' stubs."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias

from typing_extensions import TypedDict

from .types import Block, Message, ToolUseBlock


class AssistantMessageTypeDef(Message):
    """A message from the model."""


SyncMessageTypeDef: TypeAlias = Message
AsyncMessageTypeDef: TypeAlias = Message
ToolUseBlockContentTypeDef: TypeAlias = ToolUseBlock


class UserMessageTypeDef(TypedDict):
    """A message from the user."""

    role: Literal["user"]
    content: list[Block]


class ToolUseBlockMessageTypeDef(TypedDict):
    """A message that contains only tool calls."""

    role: Literal["assistant", "user"]
    content: list[ToolUseBlock]


class ToolResultBlockContentTypeDef(TypedDict):
    """A content block with the result of a tool call."""

    toolResult: Block


class ToolResultBlockMessageTypeDef(TypedDict):
    """A message that contains only results of tool calls."""

    role: Literal["assistant", "user"]
    content: list[ToolResultBlockContentTypeDef]


class StreamOutputChunk(TypedDict):
    """An event of a stream, with the model of the request and the metadata of the response."""

    # Any: the API's JSON.
    messageStart: NotRequired[dict[str, Any]]
    contentBlockStart: NotRequired[dict[str, Any]]
    contentBlockDelta: NotRequired[dict[str, Any]]
    contentBlockStop: NotRequired[dict[str, Any]]
    messageStop: NotRequired[dict[str, Any]]
    metadata: NotRequired[dict[str, Any]]
    internalServerException: NotRequired[dict[str, Any]]
    modelStreamErrorException: NotRequired[dict[str, Any]]
    validationException: NotRequired[dict[str, Any]]
    throttlingException: NotRequired[dict[str, Any]]
    serviceUnavailableException: NotRequired[dict[str, Any]]
    responseMetadata: dict[str, Any]
    model: str


AsyncStreamOutputChunk: TypeAlias = StreamOutputChunk

MessageTypeDef: TypeAlias = (
    SyncMessageTypeDef | UserMessageTypeDef | ToolResultBlockMessageTypeDef | ToolUseBlockMessageTypeDef
)
"""A message of a request."""
