"""Requests, responses and events of the Converse format, as AWS's SDKs accept and return them.

The stubs of the SDKs (`mypy_boto3_bedrock_runtime`, `types_aiobotocore_bedrock_runtime`) describe every member. They
are separate packages, which are not required here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypeAlias

from typing_extensions import TypedDict

# Any: JSON of the API, with bytes in it.
Block: TypeAlias = dict[str, Any]
"""A content block: a dict with one member, named like its kind."""

Response: TypeAlias = dict[str, Any]
"""The response of `converse`."""

Usage: TypeAlias = Mapping[str, Any]
"""Token counts: `inputTokens`, `outputTokens`, `cacheReadInputTokens`, ..."""


class Message(TypedDict):
    """A message of a conversation."""

    role: Literal["assistant", "user"]
    content: list[Block]


class ToolUseBlock(TypedDict):
    """A content block with a tool call: its `toolUseId`, `name` and `input`."""

    toolUse: Block


class ToolDescription(TypedDict):
    """A tool as a request describes it: its `name`, `description` and `inputSchema`."""

    toolSpec: Block


class Client(Protocol):
    """A client for `bedrock-runtime`: of boto3, aioboto3 or aiobotocore."""

    @property
    def converse(self) -> Callable[..., Any]: ...
    @property
    def converse_stream(self) -> Callable[..., Any]: ...
