"""A streamed answer, in the shape that all providers share."""

from __future__ import annotations

from abc import ABC
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeAlias, cast

from typing_extensions import TypeVar

from ._responses.identity import NO_PROVIDER, Identity
from ._responses.stream_view import StreamView
from ._responses.token_counts import TokenProperties
from .call_response import AnyCallResponse
from .call_response_chunk import AnyCallResponseChunk
from .stream_events import StreamEvent
from .tool import BaseTool
from .types import JsonableType, Provider

if TYPE_CHECKING:
    from ...prices import Cost
    from .call_kwargs import BaseCallKwargs
    from .metadata import Metadata

# Any: a provider's raw objects pass through, and each provider names its own.
_BaseCallResponseT = TypeVar("_BaseCallResponseT", bound=AnyCallResponse, default=Any)
_BaseCallResponseChunkT = TypeVar("_BaseCallResponseChunkT", bound=AnyCallResponseChunk, default=Any)
_UserMessageParamT = TypeVar("_UserMessageParamT", default=Any)
_AssistantMessageParamT = TypeVar("_AssistantMessageParamT", default=Any)
_ToolMessageParamT = TypeVar("_ToolMessageParamT", default=Any)
_MessageParamT = TypeVar("_MessageParamT", default=Any)
_BaseToolT = TypeVar("_BaseToolT", bound=BaseTool, default=BaseTool)
_ToolSchemaT = TypeVar("_ToolSchemaT", default=Any)
_BaseDynamicConfigT = TypeVar("_BaseDynamicConfigT", default=Any)
_BaseCallParamsT = TypeVar("_BaseCallParamsT", default=Any)
_FinishReason = TypeVar("_FinishReason", default=str)


class StreamDriver(Protocol):
    """The run of one stream: who sends the request, reads the answer and folds it. The engine has it."""

    @property
    def ended(self) -> bool: ...
    @property
    def content(self) -> str: ...
    @property
    def reasoning(self) -> str: ...
    @property
    def id(self) -> str | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def finish_reasons(self) -> list[str]: ...
    @property
    def start_time(self) -> float: ...
    @property
    def end_time(self) -> float: ...
    # Any: pairs of the provider's own chunk and tool classes.
    def iterate(self) -> Generator[tuple[Any, Any], None, None]: ...
    def aiterate(self) -> AsyncGenerator[tuple[Any, Any], None]: ...
    def texts(self) -> Generator[str, None, None]: ...
    def atexts(self) -> AsyncGenerator[str, None]: ...
    def events(self) -> Generator[StreamEvent[Any], None, None]: ...
    def aevents(self) -> AsyncGenerator[StreamEvent[Any], None]: ...
    def collect(self) -> AnyCallResponse: ...
    async def acollect(self) -> AnyCallResponse: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...
    def response(self) -> AnyCallResponse: ...
    def cost_details(self) -> Cost: ...
    def token_counts(self) -> Mapping[str, int | None]: ...


class BaseStream(
    TokenProperties,
    Generic[
        _BaseCallResponseT,
        _BaseCallResponseChunkT,
        _UserMessageParamT,
        _AssistantMessageParamT,
        _ToolMessageParamT,
        _MessageParamT,
        _BaseToolT,
        _ToolSchemaT,
        _BaseDynamicConfigT,
        _BaseCallParamsT,
        _FinishReason,
    ],
    ABC,
):
    """An answer that is still being written; the request is sent when iteration begins.

    Iterating gives `(chunk, tool)` pairs: every chunk once and in order, a tool with the chunk that completes
    it. What the stream says of the answer is always what has been iterated over. Leaving the loop closes the
    connection; what was received stays readable. To iterate over it a second time gives nothing, unless it was
    made with `stream={"replay": True}`: then the same again, of what was received, without another request.

    Attributes:
        metadata: What `@metadata` or the dynamic config said of the call.
        tool_types: The tools that the call offered, as the provider's classes.
        call_response_type: What `construct_call_response` makes.
        prompt_template: The string template, if the prompt has one.
        fn_args: The arguments of the call, with computed fields.
        dynamic_config: What the prompt function returned, if that was a dynamic config.
        messages: The messages that are sent, in the provider's form.
        call_params: The call parameters as they were given.
        call_kwargs: The keyword arguments that the SDK is called with.
        user_message_param: The last message, if the user said it, in the provider's form.
    """

    _record: ClassVar[Identity] = NO_PROVIDER

    def __init__(
        self,
        run: StreamDriver,
        *,
        metadata: Metadata,
        tool_types: list[type[_BaseToolT]] | None,
        call_response_type: type[_BaseCallResponseT],
        model: str,
        prompt_template: str | None,
        fn_args: dict[str, Any],  # Any: the user's own arguments
        dynamic_config: _BaseDynamicConfigT,
        messages: list[_MessageParamT],
        call_params: _BaseCallParamsT,
        call_kwargs: BaseCallKwargs[_ToolSchemaT],
        user_message_param: _UserMessageParamT | None,
    ) -> None:
        self._run = run
        self._model = model
        self.metadata = metadata
        self.tool_types = tool_types
        self.call_response_type = call_response_type
        self.prompt_template = prompt_template
        self.fn_args = fn_args
        self.dynamic_config = dynamic_config
        self.messages = messages
        self.call_params = call_params
        self.call_kwargs = call_kwargs
        self.user_message_param = user_message_param

    def __iter__(self) -> Generator[tuple[_BaseCallResponseChunkT, _BaseToolT | None], None, None]:
        """Sends the request and gives each chunk, and each tool with the chunk that completes it.

        Raises:
            ferroscope.errors.StreamError: The stream broke; `.partial` is what was received.
        """
        return self._run.iterate()

    def __aiter__(self) -> AsyncGenerator[tuple[_BaseCallResponseChunkT, _BaseToolT | None], None]:
        """The same, of an async call."""
        return self._run.aiterate()

    def text(self) -> StreamView[str]:
        """The text of the answer as it comes, and nothing else: to iterate over instead of the stream.

        Example:
            ```python
            for text in recommend_book("fantasy").text():
                print(text, end="", flush=True)
            ```
        """
        return StreamView(self._run.texts, self._run.atexts)

    def events(self) -> StreamView[StreamEvent[_BaseToolT]]:
        """What the answer consists of, kind by kind: text, thinking, pieces of tool arguments, tools, usage, end.

        Example:
            ```python
            for event in recommend_book("fantasy").events():
                match event:
                    case TextEvent(text):
                        print(text, end="", flush=True)
                    case ToolEvent(tool):
                        print(tool.call())
            ```
        """
        return StreamView(self._run.events, self._run.aevents)

    def collect(self) -> _BaseCallResponseT:
        """Reads the stream to its end and gives the response; no object is made for a chunk.

        Raises:
            ferroscope.errors.StreamError: The stream broke; `.partial` is what was received.
            ValueError: Somebody is iterating over the stream, or it was closed unread.
        """
        return cast("_BaseCallResponseT", self._run.collect())

    async def acollect(self) -> _BaseCallResponseT:
        """The same, of an async call."""
        return cast("_BaseCallResponseT", await self._run.acollect())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Ends the stream and its connection; what was received stays readable."""
        self._run.close()

    async def aclose(self) -> None:
        """The same, of an async call."""
        await self._run.aclose()

    @property
    def provider(self) -> Provider:
        """The name of the provider."""
        return cast("Provider", self._record.name)

    @property
    def content(self) -> str:
        """The text so far."""
        return self._run.content

    @property
    def model(self) -> str:
        """The model that answers; before it says so, the model that was asked."""
        return self._run.model or self._model

    @property
    def id(self) -> str | None:
        """The provider's id of the response."""
        return self._run.id

    @property
    def finish_reasons(self) -> list[_FinishReason] | None:
        """Why each choice ended, in the provider's own words; None while none has."""
        return cast("list[_FinishReason]", self._run.finish_reasons) or None

    @property
    def start_time(self) -> float:
        """When the request was sent, in milliseconds since the epoch; 0 before."""
        return self._run.start_time

    @property
    def end_time(self) -> float:
        """When the last of the answer was there, in milliseconds since the epoch; 0 before."""
        return self._run.end_time

    @property
    def usage(self) -> Any:  # Any: each provider's own object
        """The provider's own account of the tokens so far."""
        return self._run.response().usage

    @property
    def _token_counts(self) -> Mapping[str, int | None]:
        return self._run.token_counts()

    @property
    def cost(self) -> float | None:
        """What the call has cost so far, in USD; None if that is not known. `cost_details` says why."""
        return self.cost_details.usd

    @property
    def cost_details(self) -> Cost:
        """The exact cost so far, itemised.

        Of a stream that was broken off before the provider told the tokens it is an estimate from the length of
        the text, and says so in its status.
        """
        return self._run.cost_details()

    @property
    def message_param(self) -> _AssistantMessageParamT:
        """The answer as a message of the provider's own form, to go on from.

        Raises:
            AttributeError: The stream has not been consumed.
        """
        if not self._run.ended:
            raise AttributeError("message_param is available after the stream has been consumed")
        return cast("_AssistantMessageParamT", self._run.response().message_param)

    def tool_message_params(
        self, tools_and_outputs: Sequence[tuple[_BaseToolT, JsonableType]]
    ) -> list[_ToolMessageParamT]:
        """The messages that tell the model what its tools answered, in the provider's own form."""
        return self.call_response_type.tool_message_params(tools_and_outputs)

    def construct_call_response(self) -> _BaseCallResponseT:
        """The answer as the response that the same call would have given without streaming.

        Raises:
            ValueError: The stream has not been consumed.
        """
        if not self._run.ended:
            raise ValueError("No stream response, check if the stream has been consumed.")
        return cast("_BaseCallResponseT", self._run.response())


AnyStream: TypeAlias = BaseStream[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any]
"""A stream of whichever provider."""
