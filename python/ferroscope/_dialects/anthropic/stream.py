"""A stream of Anthropic's Messages API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, cast

from typing_extensions import TypeVar

from ...core.base.stream import BaseStream
from .call_response import MessagesCallResponse
from .call_response_chunk import FinishReason, MessagesCallResponseChunk
from .tool import MessagesTool

if TYPE_CHECKING:
    from anthropic.types import MessageParam, ToolParam, Usage

# Any: the type parameters of the response, which the provider's package fills in.
_ResponseT = TypeVar("_ResponseT", bound=MessagesCallResponse[Any, Any, Any])
_ChunkT = TypeVar("_ChunkT", bound=MessagesCallResponseChunk)
_ToolT = TypeVar("_ToolT", bound=MessagesTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)


class MessagesStream(
    BaseStream[
        _ResponseT,
        _ChunkT,
        "MessageParam",
        "MessageParam",
        "MessageParam",
        "MessageParam",
        _ToolT,
        "ToolParam",
        _DynamicConfigT,
        _CallParamsT,
        FinishReason,
    ],
    Generic[_ResponseT, _ChunkT, _ToolT, _DynamicConfigT, _CallParamsT],
):
    """A stream in the Messages format."""

    if TYPE_CHECKING:
        # Narrower than the type in the base class, which depends on the provider.
        @property
        def usage(self) -> Usage | None:
            """The token counts that the provider has reported so far; None if it reported none."""
            ...

    @property
    def thinking(self) -> str:
        """The model's thinking received so far; empty if there is none."""
        return self._run.reasoning

    @property
    def signature(self) -> str:
        """The signature of the first thinking block; empty until it is received."""
        return cast("_ResponseT", self._run.response()).signature or ""
