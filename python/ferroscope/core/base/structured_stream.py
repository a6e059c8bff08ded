"""A structured answer that is still being written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from .call_response import AnyCallResponse
from .stream import AnyStream

if TYPE_CHECKING:
    from typing_extensions import TypeForm

_ResponseModelT = TypeVar("_ResponseModelT")


class StructuredStreamDriver(Protocol):
    """The run of one structured stream; the engine has it."""

    # Any: instances of whatever the response model is.
    def iterate(self, keep: Callable[[Any], None]) -> Generator[Any, None, None]: ...
    def aiterate(self, keep: Callable[[Any], None]) -> AsyncGenerator[Any, None]: ...
    def is_done(self, *path: str | int) -> bool: ...


class BaseStructuredStream(Generic[_ResponseModelT]):
    """Gives partial instances of the response model while it is written, and the whole one last.

    A partial instance has None where nothing is known yet. What is complete is validated, what is still growing
    is not; the last instance is validated as a whole. If the call offered tools and the model called one, the
    last item is the response with the call instead.

    Attributes:
        stream: The stream below; after iteration it is the whole response.
        response_model: What the answer is to be.
        fields_from_call_args: The fields that the call's arguments fill.
        constructed_response_model: The whole instance, once it is there.

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
        # Any: the stream of whichever provider.
        stream: AnyStream,
        response_model: TypeForm[_ResponseModelT],
        fields_from_call_args: dict[str, Any],
        run: StructuredStreamDriver,
    ) -> None:
        self.stream = stream
        self.response_model = response_model
        self.fields_from_call_args = fields_from_call_args
        self._run = run

    def __iter__(self) -> Generator[_ResponseModelT, None, None]:
        """Sends the request and gives the instances.

        Raises:
            ferroscope.errors.ResponseModelError: The answer is not the JSON that it should be.
            pydantic.ValidationError: It is not what the response model wants.
            ferroscope.errors.StreamError: The stream broke; `.partial` is what was received.
        """
        return self._run.iterate(self._keep)

    def __aiter__(self) -> AsyncGenerator[_ResponseModelT, None]:
        """The same, of an async call."""
        return self._run.aiterate(self._keep)

    def _keep(self, instance: _ResponseModelT) -> None:
        self.constructed_response_model = instance

    def is_done(self, *path: str | int) -> bool:
        """Whether the value at a path (JSON keys and indexes) has arrived and is complete.

        Example:
            ```python
            for book in stream:
                if stream.is_done("title"):
                    print(book.title)
            ```
        """
        return self._run.is_done(*path)

    @property
    def _response(self) -> AnyCallResponse:
        """The whole response, once the stream has been consumed."""
        response: AnyCallResponse = self.stream.construct_call_response()
        return response

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
        self.stream.close()

    async def aclose(self) -> None:
        """The same, of an async call."""
        await self.stream.aclose()
