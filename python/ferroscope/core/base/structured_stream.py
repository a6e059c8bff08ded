"""A structured response that is still being received."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, cast

from ..._lazy import lazy_names, load_name
from ._responses.stream_view import StreamView
from ._responses.token_counts import TokenProperties
from .call_response import AnyCallResponse
from .stream import AnyStream
from .stream_events import StreamEvent
from .types import Provider

if TYPE_CHECKING:
    from typing_extensions import TypeForm

    from ..._factory import structured_stream_factory as structured_stream_factory
    from ...prices import Cost
    from .retry import Attempt

_ResponseModelT = TypeVar("_ResponseModelT")


class StructuredStreamDriver(Protocol):
    """The run of one structured stream, which the engine implements."""

    # Any: instances of the response model.
    def iterate(self, keep: Callable[[Any], None]) -> Generator[Any, None, None]: ...
    def aiterate(self, keep: Callable[[Any], None]) -> AsyncGenerator[Any, None]: ...
    def is_done(self, *path: str | int) -> bool: ...


class BaseStructuredStream(TokenProperties, Generic[_ResponseModelT]):
    """A stream of partial instances of the response model; the last item is the complete instance.

    Fields that are not received yet are None. Complete values are validated, incomplete ones are not; the last instance
    is validated as a whole. If the model called a tool of the call instead, the last item is the response with the tool
    call.

    Attributes:
        stream: The underlying stream; after iteration it contains the complete response.
        response_model: The type of the instances.
        fields_from_call_args: The fields that the call's arguments fill.
        constructed_response_model: The complete instance, after iteration.

    Example:
        ```python
        from ferroscope.core import openai
        from pydantic import BaseModel


        class Book(BaseModel):
            title: str
            author: str


        @openai.call("gpt-4o-mini", stream=True, response_model=Book)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        for book in recommend_book("fantasy"):
            print(book)
        ```
    """

    constructed_response_model: _ResponseModelT

    def __init__(
        self,
        *,
        # Any: a stream of any provider.
        stream: AnyStream,
        response_model: TypeForm[_ResponseModelT],
        fields_from_call_args: dict[str, Any],
        run: StructuredStreamDriver | None = None,
    ) -> None:
        """Create a stream from a run of the engine; or, as in v1, from a stream whose chunks have the JSON as text."""
        self.stream = stream
        self.response_model = response_model
        self.fields_from_call_args = fields_from_call_args
        if run is None:
            # The engine is a layer above, and only streams that a program creates itself need it here.
            new_run = load_name("ferroscope._engine.structured_chunks:run_of_texts")
            run = cast("StructuredStreamDriver", new_run(stream, response_model, fields_from_call_args))
        self._run = run

    def __iter__(self) -> Generator[_ResponseModelT, None, None]:
        """Send the request and yield the instances.

        Raises:
            ferroscope.errors.ResponseModelError: The response is not valid JSON for the response model.
            pydantic.ValidationError: The response does not match the response model.
            ferroscope.errors.StreamError: The stream failed; `.partial` is the response received so far.
        """
        return self._run.iterate(self._keep)

    def __aiter__(self) -> AsyncGenerator[_ResponseModelT, None]:
        """Send the request of an async call and yield the instances; see `__iter__`."""
        return self._run.aiterate(self._keep)

    if not TYPE_CHECKING:  # to type checkers, every attribute would be there

        def __getattr__(self, name: str) -> object:
            if name == "constructed_response_model":
                raise AttributeError("constructed_response_model is available after the stream has been consumed")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _keep(self, instance: _ResponseModelT) -> None:
        self.constructed_response_model = instance

    def is_done(self, *path: str | int) -> bool:
        """Return whether the value at a path of JSON keys and indexes has been received completely.

        Example:
            ```python
            for book in stream:
                if stream.is_done("title"):
                    print(book.title)
            ```
        """
        return self._run.is_done(*path)

    def collect(self) -> _ResponseModelT:
        """Read the stream to its end, and return the complete instance, or the response if the model called a tool.

        Raises:
            ferroscope.errors.ResponseModelError: The response is not valid JSON for the response model.
            pydantic.ValidationError: The response does not match the response model.
            ferroscope.errors.StreamError: The stream failed; `.partial` is the response received so far.
            ValueError: The stream was read or closed before, without a complete instance.
        """
        last = self._known()
        for last in self:  # noqa: B007  # the last one counts
            pass
        return self._collected(last)

    async def acollect(self) -> _ResponseModelT:
        """Read the stream of an async call to its end; see `collect`."""
        last = self._known()
        async for last in self:  # noqa: B007  # the last one counts
            pass
        return self._collected(last)

    def _known(self) -> _ResponseModelT | None:
        return self.__dict__.get("constructed_response_model")

    def _collected(self, last: _ResponseModelT | None) -> _ResponseModelT:
        if last is None:
            raise ValueError("No stream response: the stream was read or closed before its answer was complete.")
        return last

    def events(self) -> StreamView[StreamEvent]:
        """Return an iterator over the typed events, in place of the instances; see `BaseStream.events`."""
        return self.stream.events()

    def text(self) -> StreamView[str]:
        """Return an iterator over the pieces of the text, in place of the instances; see `BaseStream.text`."""
        return self.stream.text()

    @property
    def content(self) -> str:
        """The text received so far."""
        return self.stream.content

    @property
    def provider(self) -> Provider:
        """The name of the provider."""
        return self.stream.provider

    @property
    def model(self) -> str:
        """The name of the model, as of the stream."""
        return self.stream.model

    @property
    def id(self) -> str | None:
        """The provider's id of the response, or None."""
        return self.stream.id

    # Any: the provider's own words and objects.
    @property
    def finish_reasons(self) -> list[Any] | None:
        """The finish reason of each choice, or None before the first one."""
        return self.stream.finish_reasons

    @property
    def usage(self) -> object:
        """The provider's usage object so far."""
        return self.stream.usage

    @property
    def _token_counts(self) -> Mapping[str, int | None]:
        return self.stream._token_counts

    @property
    def cost(self) -> float | None:
        """The cost so far in USD, or None if it is unknown."""
        return self.stream.cost

    @property
    def cost_details(self) -> Cost:
        """The exact cost so far with its items."""
        return self.stream.cost_details

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The requests of the call; more than one only with `retry=`."""
        return self.stream.attempts

    @property
    def start_time(self) -> float:
        """The time at which the request was sent, in milliseconds since the epoch; 0 before."""
        return self.stream.start_time

    @property
    def end_time(self) -> float:
        """The time at which the response was complete, in milliseconds since the epoch; 0 before."""
        return self.stream.end_time

    @property
    def message_param(self) -> Any:
        """The answer as a message in the provider's format, after the stream was consumed."""
        return self.stream.message_param

    def construct_call_response(self) -> AnyCallResponse:
        """Return the response that the same call would have returned without streaming.

        Raises:
            ValueError: The stream has not been consumed.
        """
        response: AnyCallResponse = self.stream.construct_call_response()
        return response

    @property
    def _response(self) -> AnyCallResponse:
        """The complete response, after the stream has been consumed."""
        response: AnyCallResponse = self.stream.construct_call_response()
        return response

    def __getstate__(self) -> dict[str, Any]:  # Any: attributes of every kind
        return {**vars(self), "_run": _FinishedRun()}

    def __setstate__(self, state: dict[str, Any]) -> None:  # Any: attributes of every kind
        vars(self).update(state)

    def __repr__(self) -> str:
        name = getattr(self.response_model, "__name__", repr(self.response_model))
        return f"{type(self).__name__}(response_model={name}, stream={self.stream!r})"

    def __enter__(self) -> Self:
        self.stream.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await self.stream.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the stream and its connection; the received data stays available."""
        self.stream.close()

    async def aclose(self) -> None:
        """Close the stream of an async call and its connection; the received data stays available."""
        await self.stream.aclose()


class _FinishedRun:
    """The run of a structured stream that was pickled or copied after its end."""

    def iterate(self, keep: Callable[[Any], None]) -> Generator[Any, None, None]:
        yield from ()

    async def aiterate(self, keep: Callable[[Any], None]) -> AsyncGenerator[Any, None]:
        nothing: tuple[Any, ...] = ()
        for instance in nothing:
            yield instance

    def is_done(self, *path: str | int) -> bool:
        return True


# The factory is a layer above, and only programs with providers of their own use it.
__getattr__, __dir__ = lazy_names(__name__, {"structured_stream_factory": "ferroscope._factory"})
