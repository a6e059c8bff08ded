"""Parts of the adapters of SDKs whose calls, streams and exceptions are not those that the engine expects.

The engine expects the forms of OpenAI's SDK: a stream has a `response` and can be closed, and the exceptions of a
stream have certain names and parameters.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from inspect import isawaitable
from typing import Any

from ..errors import MissingApiKeyError

# Any: the objects of any SDK.


def then(answer: Any, convert: Callable[[Any], Any]) -> Any:
    """Return the converted answer of a call; for the awaitable of an async call, an awaitable of the same."""
    return _awaited(answer, convert) if isawaitable(answer) else convert(answer)


async def _awaited(answer: Awaitable[Any], convert: Callable[[Any], Any]) -> Any:
    return convert(await answer)


def required_key(variable: str, provider: str) -> str:
    """Return the API key in an environment variable, for SDKs that do not check it themselves.

    Raises:
        MissingApiKeyError: The variable is not set.
    """
    key = os.environ.get(variable)
    if not key:
        raise MissingApiKeyError(f"{variable} is not set: set it to the API key for {provider!r}, or pass `client=`")
    return key


class ObjectStream:
    """A stream that is read as objects.

    Attributes:
        events: The events. An SDK's stream keeps the response open as long as it exists.
        response: The HTTP response; None if it is unknown.
        head: The data of the response that is not in the events; see `ResponseHead`.
        owner: An object that must exist as long as the stream, such as a client.
    """

    def __init__(
        self,
        events: Any,
        response: Any = None,
        *,
        close: Callable[[], Any] | None = None,
        errors: Callable[[], AbstractContextManager[object]] = nullcontext,
        head: Any = None,
        owner: object = None,
    ) -> None:
        """Wrap the events of a stream.

        Args:
            events: The events.
            response: The HTTP response.
            close: Closes the connection; by default the method of the response, or else of the events.
            errors: A context manager that converts the exceptions of the events.
            head: The data of the response that is not in the events.
            owner: An object that must exist as long as the stream.
        """
        self.events = events
        self.response = response
        self.head = head
        self.owner = owner
        self._close = close
        self._errors = errors

    def __iter__(self) -> Iterator[Any]:
        with self._errors():
            yield from self.events

    def close(self) -> None:
        """Close the connection."""
        if callable(close := self._close or getattr(self._source, "close", None)):
            close()

    @property
    def _source(self) -> Any:
        """The object whose method closes the connection."""
        return self.events if self.response is None else self.response


class AsyncObjectStream(ObjectStream):
    """A stream of an async call that is read as objects."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        with self._errors():
            async for event in self.events:
                yield event

    async def aclose(self) -> None:
        """Close the connection."""
        close = self._close or getattr(self._source, "aclose", None) or getattr(self._source, "close", None)
        if callable(close) and isawaitable(closing := close()):
            await closing


class Stream(ObjectStream):
    """A stream that the program has not wrapped. The engine reads the bytes of its response."""


class AsyncStream(AsyncObjectStream):
    """A stream of an async call that the program has not wrapped."""


class WithRequest(Exception):
    """A base of the exceptions for a connection that broke, before the SDK's class."""

    def __init__(self, message: str = "the provider did not respond in time", *, request: Any = None) -> None:
        super().__init__(message)
        self.request = request


class WithBody(Exception):
    """A base of the exceptions for an error that the provider reports inside a stream, before the SDK's class."""

    def __init__(self, message: str, *, request: object, body: object) -> None:
        super().__init__(message)
        self.request = request
        self.body = body
