"""A streamed response, in the form that all providers share."""

from __future__ import annotations

from abc import ABC
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol, Self, TypeAlias, cast

from typing_extensions import TypeVar

from ..._lazy import lazy_names, load_name
from ..._repr import shorten
from ._responses.finished_run import FinishedRun
from ._responses.identity import NO_PROVIDER, Identity
from ._responses.state import picklable_values, restored_values
from ._responses.stream_view import StreamView
from ._responses.token_counts import TokenProperties
from ._responses.user_message import last_user_message
from ._responses.user_provider import claim
from .call_response import AnyCallResponse
from .call_response_chunk import AnyCallResponseChunk
from .stream_events import StreamEvent, WebFormat
from .tool import BaseTool
from .types import Provider

if TYPE_CHECKING:
    from ..._factory import stream_factory as stream_factory
    from ...prices import Cost
    from .call_kwargs import BaseCallKwargs
    from .metadata import Metadata
    from .retry import Attempt

# Any: SDK objects are passed through, and each provider has its own types.
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


class _AssignedMessage(NamedTuple):
    """A message that a program assigned to `message_param`."""

    message: object
    after_end: bool


class StreamDriver(Protocol):
    """The run of one stream, which sends the request, reads the response and merges the chunks (see the engine)."""

    @property
    def ended(self) -> bool: ...
    def check_kind(self, *, asynchronous: bool, write: str) -> None: ...
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
    @property
    def attempts(self) -> tuple[Attempt, ...]: ...
    @property
    def is_cached(self) -> bool: ...
    # Any: pairs of the provider's own chunk and tool classes.
    def iterate(self) -> Generator[tuple[Any, Any], None, None]: ...
    def aiterate(self) -> AsyncGenerator[tuple[Any, Any], None]: ...
    def texts(self) -> Generator[str, None, None]: ...
    def atexts(self) -> AsyncGenerator[str, None]: ...
    def events(self) -> Generator[StreamEvent[Any], None, None]: ...
    def aevents(self) -> AsyncGenerator[StreamEvent[Any], None]: ...
    def sse(self, format: WebFormat, **options: Any) -> StreamView[bytes]: ...  # Any: those of `BaseStream.sse`
    def raw(self) -> Generator[bytes, None, None]: ...
    def araw(self) -> AsyncGenerator[bytes, None]: ...
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
    """A streamed response. The request is sent when iteration begins.

    Iteration yields `(chunk, tool)` pairs: every chunk once and in order, and a tool with the chunk that completes it.
    Properties reflect what has been consumed so far. Leaving the loop closes the connection; the received data stays
    available. A second iteration yields nothing, unless the stream was created with `stream={"replay": True}`. In that
    case it yields the received data again, without another request.

    Attributes:
        metadata: The metadata that `@metadata` or the dynamic config attached to the call.
        tool_types: The tools that the call offered, as the provider's classes.
        call_response_type: The class of the response that `construct_call_response` returns.
        prompt_template: The string template, if the prompt has one.
        fn_args: The arguments of the call, including computed fields.
        dynamic_config: The dynamic config that the prompt function returned, or None.
        messages: The messages of the request, in the provider's format.
        call_params: The call parameters as they were passed.
        call_kwargs: The keyword arguments of the call to the SDK.
        user_message_param: The last message in the provider's format, if its role is `user`.
    """

    _record: ClassVar[Identity] = NO_PROVIDER
    _provider: ClassVar[str]
    _message_param: _AssistantMessageParamT

    def __init_subclass__(cls, **kwargs: Any) -> None:  # Any: class keywords of any base
        super().__init_subclass__(**kwargs)
        claim(cls)

    def __init__(
        self,
        run: StreamDriver | None = None,
        *,
        stream: Iterable[tuple[_BaseCallResponseChunkT, _BaseToolT | None]]
        | AsyncIterable[tuple[_BaseCallResponseChunkT, _BaseToolT | None]]
        | None = None,
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
        user_message_param: _UserMessageParamT | None = None,
    ) -> None:
        """Create a stream from a run of the engine, or from pairs of chunk and tool in `stream`, as in v1."""
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
        if run is None:
            self.stream = stream
            if user_message_param is None:
                self.user_message_param = cast("_UserMessageParamT | None", last_user_message(messages))
            # The engine is a layer above, and only streams of given chunks need it here.
            run = cast("StreamDriver", load_name("ferroscope._engine.chunk_run:ChunkRun")(self))
        self._run = run

    def _update_properties(self, chunk: _BaseCallResponseChunkT) -> None:
        """Add a chunk of a stream that was created with `stream=`."""
        cast("Any", self._run).add(chunk)  # Any: only the run of such a stream has the method

    def __iter__(self) -> Generator[tuple[_BaseCallResponseChunkT, _BaseToolT | None], None, None]:
        """Send the request and yield each chunk, and each tool with the chunk that completes it.

        Raises:
            ferroscope.errors.StreamError: The stream failed; `.partial` is the response received so far.
        """
        return self._run.iterate()

    def __aiter__(self) -> AsyncGenerator[tuple[_BaseCallResponseChunkT, _BaseToolT | None], None]:
        """Send the request of an async call and yield chunks and tools; see `__iter__`."""
        return self._run.aiterate()

    def text(self) -> StreamView[str]:
        """Return an iterable of only the text, for iteration in place of the stream.

        Example:
            ```python
            for text in recommend_book("fantasy").text():
                print(text, end="", flush=True)
            ```
        """
        return StreamView(self._run.texts, self._run.atexts)

    def events(self) -> StreamView[StreamEvent[_BaseToolT]]:
        """Return an iterable of typed events: text, thinking, fragments of tool arguments, tools, usage, finish.

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

    def sse(
        self,
        format: WebFormat = "vercel",
        *,
        id: str | None = None,
        model: str | None = None,
        thread_id: str | None = None,
        include_usage: bool = True,
        first_event: int = 1,
    ) -> StreamView[bytes]:
        """Return the answer as server-sent events of a web format, one item of bytes per read of the body.

        The core encodes the events; no object is made for a chunk. Usage and cost (USD) come with the last events. An
        exception becomes the error event of the format, without the exception's text, and is logged by the logger
        `ferroscope.web`. Leaving the loop closes the connection to the provider.

        Args:
            format: `"vercel"` (UI message stream of the AI SDK 5 to 7), `"openai"` (chat completion chunks),
                `"ag-ui"` (AG-UI 1.0) or `"text"` (JSON strings).
            id: The id of the answer; a random one by default.
            model: The name of the model in the events; by default that of the call.
            thread_id: The thread of AG-UI; a random one by default.
            include_usage: Whether the last events have usage and cost.
            first_event: The number of the first event, its `id:` line.

        Example:
            ```python
            @app.get("/answer")
            async def answer(question: str) -> StreamingResponse:
                return StreamingResponse(assistant(question).sse("vercel"), media_type="text/event-stream")
            ```
        """
        return self._run.sse(
            format,
            id=id,
            model=self._model if model is None else model,
            thread_id=thread_id,
            include_usage=include_usage,
            first_event=first_event,
        )

    def raw(self) -> StreamView[bytes]:
        """Return the body of the response as received, one item of bytes per read.

        The stream is decoded on the way: text, tool calls, usage and cost are known afterwards, and a budget applies.
        Where the SDK hands out objects in place of bytes, each item is one event, `data: ...` with a blank line.
        """
        return StreamView(self._run.raw, self._run.araw)

    def collect(self) -> _BaseCallResponseT:
        """Read the stream to its end and return the response, without creating an object per chunk.

        Raises:
            ferroscope.errors.StreamError: The stream failed; `.partial` is the response received so far.
            ValueError: The stream is being iterated over, or was closed before it was read.
        """
        return cast("_BaseCallResponseT", self._run.collect())

    async def acollect(self) -> _BaseCallResponseT:
        """Read the stream of an async call to its end and return the response; see `collect`."""
        return cast("_BaseCallResponseT", await self._run.acollect())

    def __getstate__(self) -> dict[str, Any]:  # Any: attributes of every kind
        """Return the stream for a pickle or a copy, which has the response in place of the connection.

        Raises:
            TypeError: The stream has not ended.
        """
        if not self._run.ended:
            raise TypeError(
                "a stream that has not ended cannot be pickled or copied: read it first, or call `collect()`"
            )
        state = picklable_values(vars(self))
        return {**state, "_run": FinishedRun.of(self._run)}

    def __setstate__(self, state: dict[str, Any]) -> None:  # Any: attributes of every kind
        vars(self).update(restored_values(state))

    def __repr__(self) -> str:
        state = "ended" if self._run.ended else "open" if self._run.start_time else "not started"
        content = shorten(self._run.content)
        return f"{type(self).__name__}(model={self.model!r}, state={state!r}, content={content!r})"

    def __enter__(self) -> Self:
        self._run.check_kind(asynchronous=False, write="`async with`")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        self._run.check_kind(asynchronous=True, write="`with`")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the stream and its connection; the received data stays available."""
        self._run.close()

    async def aclose(self) -> None:
        """Close the stream of an async call and its connection; the received data stays available."""
        await self._run.aclose()

    @property
    def provider(self) -> Provider:
        """The name of the provider."""
        return cast("Provider", self._record.name)

    @property
    def content(self) -> str:
        """The text received so far."""
        return self._run.content

    @property
    def model(self) -> str:
        """The name of the model that responds, or of the requested model until the response reports it."""
        return self._run.model or self._model

    @property
    def id(self) -> str | None:
        """The provider's id of the response."""
        return self._run.id

    @property
    def finish_reasons(self) -> list[_FinishReason] | None:
        """The finish reason of each choice, as the provider reports it; None until a choice ends."""
        return cast("list[_FinishReason]", self._run.finish_reasons) or None

    @property
    def start_time(self) -> float:
        """The time at which the request was sent, in milliseconds since the epoch; 0 before that."""
        return self._run.start_time

    @property
    def end_time(self) -> float:
        """The time at which the last data was received, in milliseconds since the epoch; 0 before that."""
        return self._run.end_time

    @property
    def usage(self) -> object:
        """The token counts that the provider has reported so far."""
        return self._run.response().usage

    @property
    def _token_counts(self) -> Mapping[str, int | None]:
        return self._run.token_counts()

    @property
    def cost(self) -> float | None:
        """The cost of the call so far in USD; None if it is unknown. `cost_details` has the reason."""
        return self.cost_details.usd

    @property
    def cost_details(self) -> Cost:
        """The exact, itemised cost so far in USD.

        If the stream was interrupted before the provider reported the token counts, the cost is estimated from the
        length of the text. Its status is then `estimate`.
        """
        return self._run.cost_details()

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The requests of the stream; the last one is added when it ends. Empty without the option `retry`."""
        return self._run.attempts

    @property
    def cached(self) -> bool:
        """Whether the stream comes from the cache of the call, so that no request is sent."""
        return self._run.is_cached

    @property
    def message_param(self) -> _AssistantMessageParamT:
        """The response as a message in the provider's format, to continue the conversation.

        A program may assign another message. It does not change `construct_call_response()`, and the message of the
        stream replaces one that was assigned before the stream was consumed.

        Raises:
            AttributeError: The stream has not been consumed.
        """
        ended = self._run.ended
        assigned: _AssignedMessage | None = vars(self).get("_assigned_message")
        if assigned is not None and assigned.after_end == ended:
            return cast("_AssistantMessageParamT", assigned.message)
        if not ended:
            raise AttributeError("message_param is available after the stream has been consumed")
        if "_message_param" in vars(self):
            return self._message_param
        return cast("_AssistantMessageParamT", self._run.response().message_param)

    @message_param.setter
    def message_param(self, message: _AssistantMessageParamT) -> None:
        self._assigned_message = _AssignedMessage(message, after_end=self._run.ended)

    def tool_message_params(self, tools_and_outputs: Sequence[tuple[_BaseToolT, object]]) -> list[_ToolMessageParamT]:
        """Return the messages that report the outputs of tools to the model, in the provider's format."""
        return self.call_response_type.tool_message_params(tools_and_outputs)

    def construct_call_response(self) -> _BaseCallResponseT:
        """Return the response that the same call would return without streaming.

        Raises:
            ValueError: The stream has not been consumed.
        """
        if not self._run.ended:
            raise ValueError("No stream response, check if the stream has been consumed.")
        return cast("_BaseCallResponseT", self._run.response())


AnyStream: TypeAlias = BaseStream[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any]
"""A stream of any provider."""

# The factory is a layer above, and only programs with providers of their own use it.
__getattr__, __dir__ = lazy_names(__name__, {"stream_factory": "ferroscope._factory"})
