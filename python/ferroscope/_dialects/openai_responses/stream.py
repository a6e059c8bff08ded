"""Streams of the Responses API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, cast

from typing_extensions import TypeVar

from ...core.base.stream import BaseStream
from ...core.base.tool import BaseTool

if TYPE_CHECKING:
    from openai.types.responses import FunctionToolParam, ResponseInputItemParam, ResponseUsage
    from openai.types.responses.response_input_param import FunctionCallOutput

    from .call_response import ResponsesCallResponse
    from .call_response_chunk import ResponsesCallResponseChunk

# Any: a response has type parameters of its own, which the provider's package fills in.
_CallResponseT = TypeVar("_CallResponseT", bound="ResponsesCallResponse[Any, Any, Any]", default=Any)
_ChunkT = TypeVar("_ChunkT", bound="ResponsesCallResponseChunk", default=Any)
_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)


class ResponsesStream(
    BaseStream[
        _CallResponseT,
        _ChunkT,
        "ResponseInputItemParam",
        dict[str, Any],
        "FunctionCallOutput",
        "ResponseInputItemParam",
        _ToolT,
        "FunctionToolParam",
        _DynamicConfigT,
        _CallParamsT,
        str,
    ],
    Generic[_CallResponseT, _ChunkT, _ToolT, _DynamicConfigT, _CallParamsT],
):
    """A stream of the Responses API, for any provider."""

    if TYPE_CHECKING:
        # Narrower than the type in the base class, which depends on the provider.
        @property
        def usage(self) -> ResponseUsage | None:
            """The token counts that the provider has reported so far; None if it reported none."""
            ...

    @property
    def thinking(self) -> str:
        """The summaries of the reasoning so far, or the reasoning itself where a server sends it."""
        return self._run.reasoning

    @property
    def refusal(self) -> str | None:
        """The model's refusal so far; None if it does not refuse."""
        return self._answer.refusal

    @property
    def annotations(self) -> list[Any]:  # Any: the SDK's annotation objects, a class for each type
        """The annotations of the text so far."""
        return self._answer.annotations

    @property
    def citations(self) -> list[str]:
        """The URLs that the text cites so far, each once."""
        return self._answer.citations

    @property
    def hosted_tool_calls(self) -> list[Any]:  # Any: the SDK's item objects, a class for each tool
        """The calls and results of hosted tools so far."""
        return self._answer.hosted_tool_calls

    @property
    def _answer(self) -> ResponsesCallResponse[Any, Any, Any]:
        return cast("ResponsesCallResponse[Any, Any, Any]", self._run.response())
