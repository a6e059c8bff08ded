"""Streams of Cohere's v2 chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, cast

from typing_extensions import TypeVar

from ...core.base.stream import BaseStream
from ...core.base.tool import BaseTool

if TYPE_CHECKING:
    from cohere import Citation, ToolV2, Usage

    from .call_response import ChatV2CallResponse
    from .call_response_chunk import ChatV2CallResponseChunk

_CallResponseT = TypeVar("_CallResponseT", bound="ChatV2CallResponse[Any, Any, Any]", default=Any)
_ChunkT = TypeVar("_ChunkT", bound="ChatV2CallResponseChunk", default=Any)
_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)


class ChatV2Stream(
    BaseStream[
        _CallResponseT,
        _ChunkT,
        dict[str, Any],
        dict[str, Any],
        dict[str, Any],
        dict[str, Any],
        _ToolT,
        "ToolV2",
        _DynamicConfigT,
        _CallParamsT,
        str,
    ],
    Generic[_CallResponseT, _ChunkT, _ToolT, _DynamicConfigT, _CallParamsT],
):
    """A stream in Cohere's v2 chat format."""

    if TYPE_CHECKING:
        # Narrower than the type in the base class, which depends on the provider.
        @property
        def usage(self) -> Usage | None:
            """The token counts that the provider has reported so far; None if it reported none."""
            ...

    @property
    def thinking(self) -> str:
        """The model's thinking and its plan for the tool calls so far; empty if it sends neither."""
        return self._run.reasoning

    @property
    def citations(self) -> list[Citation]:
        """The citations so far."""
        return cast("ChatV2CallResponse[Any, Any, Any]", self._run.response()).citations
