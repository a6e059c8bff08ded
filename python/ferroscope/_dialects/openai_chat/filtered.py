"""Responses, chunks and streams with the results of content filters."""

from __future__ import annotations

from typing import Any, Generic

from typing_extensions import TypeVar

from ...core.base.tool import BaseTool
from ...core.base.types import FinishReason
from .call_response import ChatCallResponse
from .call_response_chunk import ChatCallResponseChunk
from .content_filters import FilteredContent
from .stream import ChatStream

# Any: a response and a chunk have type parameters of their own, which the provider's package fills in.
_ResponseT = TypeVar("_ResponseT", default=Any)
_SdkChunkT = TypeVar("_SdkChunkT", default=Any)
_CallResponseT = TypeVar("_CallResponseT", bound=ChatCallResponse[Any, Any, Any, Any, Any, Any, Any], default=Any)
_ChunkT = TypeVar("_ChunkT", bound=ChatCallResponseChunk[Any, Any], default=Any)
_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)


class FilteredCallResponse(FilteredContent, ChatCallResponse[_ResponseT, _ToolT, _DynamicConfigT, _CallParamsT]):
    """A response with the results of a content filter."""

    def _filtered(self) -> Any:  # Any: the SDK's response
        return self.response


class FilteredChunk(FilteredContent, ChatCallResponseChunk[_SdkChunkT, FinishReason], Generic[_SdkChunkT]):
    """A chunk with the results of a content filter."""

    __slots__ = ()

    def _filtered(self) -> Any:  # Any: the SDK's chunk
        return self.chunk


class FilteredStream(
    FilteredContent,
    ChatStream[_CallResponseT, _ChunkT, _ToolT, _DynamicConfigT, _CallParamsT, FinishReason],
    Generic[_CallResponseT, _ChunkT, _ToolT, _DynamicConfigT, _CallParamsT],
):
    """A stream with the results of a content filter."""

    def _filtered(self) -> Any:  # Any: the SDK's response
        return self._run.response().response
