"""The stream of a call in the Converse format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, cast

from typing_extensions import TypeVar

from ...core.base.stream import BaseStream
from .call_response import ConverseCallResponse, request_id
from .call_response_chunk import ConverseCallResponseChunk
from .tool import ConverseTool
from .types import Message, ToolDescription, Usage

_ResponseT = TypeVar("_ResponseT", bound=ConverseCallResponse[Any, Any, Any, Any])
_ChunkT = TypeVar("_ChunkT", bound=ConverseCallResponseChunk[Any, Any])
_ToolT = TypeVar("_ToolT", bound=ConverseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)
_MessageParamT = TypeVar("_MessageParamT", default=Message)


@dataclass(frozen=True, slots=True)
class Head:
    """The data of a streamed response that is not in its events.

    Attributes:
        model: The model of the request.
        metadata: `ResponseMetadata`, which AWS's SDKs build from the headers.
    """

    model: str
    metadata: Mapping[str, Any]  # Any: JSON

    @property
    def id(self) -> str | None:
        """The id of the request."""
        return request_id(self.metadata)

    @property
    def members(self) -> dict[str, Any]:  # Any: JSON
        """The members that each chunk adds to its event."""
        return {"model": self.model, "responseMetadata": self.metadata}

    def complete(self, response: Any) -> None:  # Any: the response assembled from the events
        """Add the metadata to a response."""
        response["ResponseMetadata"] = self.metadata


class ConverseStream(
    BaseStream[
        _ResponseT,
        _ChunkT,
        _MessageParamT,
        Message,
        Message,
        _MessageParamT,
        _ToolT,
        ToolDescription,
        _DynamicConfigT,
        _CallParamsT,
        str,
    ],
    Generic[_ResponseT, _ChunkT, _ToolT, _DynamicConfigT, _CallParamsT, _MessageParamT],
):
    """A stream in the Converse format."""

    if TYPE_CHECKING:
        # Narrower than the type in the base class, which depends on the provider.
        @property
        def usage(self) -> Usage | None:
            """The token counts that the provider has reported so far; None if it reported none."""
            ...

    @property
    def thinking(self) -> str:
        """The model's reasoning so far; empty if it shows none."""
        return self._run.reasoning

    @property
    def signature(self) -> str:
        """The signature of the first reasoning block; empty until it arrives."""
        return cast("ConverseCallResponse[Any, Any, Any, Any]", self._run.response()).signature or ""
