"""Streams in Gemini's format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from ...core.base.stream import BaseStream
from ...core.base.types import CostMetadata
from .call_response import ContentCallResponse
from .call_response_chunk import ContentCallResponseChunk
from .tool import ContentTool

if TYPE_CHECKING:
    from google.genai.types import ContentDict, GenerateContentResponseUsageMetadata, Tool

# Any: a response has type parameters of its own, which the provider's package fills in.
_CallResponseT = TypeVar("_CallResponseT", bound=ContentCallResponse[Any, Any, Any], default=Any)
_ChunkT = TypeVar("_ChunkT", bound=ContentCallResponseChunk, default=ContentCallResponseChunk)
_ToolT = TypeVar("_ToolT", bound=ContentTool, default=ContentTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)


class ContentStream(
    BaseStream[
        _CallResponseT,
        _ChunkT,
        "ContentDict",
        "ContentDict",
        "ContentDict",
        "ContentDict",
        _ToolT,
        "Tool",
        _DynamicConfigT,
        _CallParamsT,
        str,
    ],
    Generic[_CallResponseT, _ChunkT, _ToolT, _DynamicConfigT, _CallParamsT],
):
    """A stream in Gemini's format, for any provider."""

    if TYPE_CHECKING:
        # Narrower than the type in the base class, which depends on the provider.
        @property
        def usage(self) -> GenerateContentResponseUsageMetadata | None:
            """The token counts that the provider has reported so far; None if it reported none."""
            ...

    @property
    def thinking(self) -> str:
        """The model's thoughts so far; empty if it shows none."""
        return self._run.reasoning

    @property
    def cost_metadata(self) -> CostMetadata:
        """The counts so far that the price of the call depends on."""
        return self._run.response().cost_metadata
