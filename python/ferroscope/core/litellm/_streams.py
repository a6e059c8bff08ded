"""LiteLLM's streams with a connection that can be closed, and with the provider's own errors."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx
import openai
from litellm.exceptions import MidStreamFallbackError

from ..._dialects.sdk_model import read_json
from ._errors import APIConnectionError

# Any: LiteLLM objects are passed through.

_NO_STREAM = "the response is one JSON object and not a stream"


class Stream:
    """A stream of a sync call. It yields LiteLLM's chunks, and an error of the provider as the event it came in."""

    def __init__(self, sdk_stream: Any) -> None:
        self.sdk_stream = sdk_stream
        self.response: Any = getattr(sdk_stream.completion_stream, "response", None)

    def __iter__(self) -> Iterator[Any]:
        if _is_whole(self.response):
            # An error, which ends the stream here.
            yield read_json(self.response.read())
            raise APIConnectionError(_NO_STREAM)
        try:
            for number, chunk in enumerate(self.sdk_stream):
                if number == 0:
                    _check_first(self.sdk_stream, chunk)
                yield chunk
        except openai.APIError as error:
            event = _reported(error)
            if event is None:
                raise _origin(error) from error
            yield event

    def close(self) -> None:
        """Close the connection, which LiteLLM's own `close` may leave open."""
        if callable(close := getattr(self.sdk_stream.completion_stream, "close", None)):
            close()


class AsyncStream(Stream):
    """A stream of an async call."""

    async def __aiter__(self) -> AsyncGenerator[Any, None]:
        if _is_whole(self.response):
            yield read_json(await self.response.aread())
            raise APIConnectionError(_NO_STREAM)
        first = True
        try:
            async for chunk in self.sdk_stream:
                if first:
                    _check_first(self.sdk_stream, chunk)
                    first = False
                yield chunk
        except openai.APIError as error:
            event = _reported(error)
            if event is None:
                raise _origin(error) from error
            yield event

    async def aclose(self) -> None:
        """Close the connection, which LiteLLM's own `aclose` may leave open."""
        source = self.sdk_stream.completion_stream
        close = getattr(source, "aclose", None) or getattr(source, "close", None)
        if close is not None and inspect.isawaitable(closing := close()):
            await closing


def _is_whole(response: Any) -> bool:
    """Return whether the body is one JSON object in place of a stream, which LiteLLM would skip."""
    return "application/json" in getattr(response, "headers", {}).get("content-type", "")


def _check_first(sdk_stream: Any, chunk: Any) -> None:
    """Check that the first chunk came from the provider.

    Raises:
        APIConnectionError: The provider sent no event. LiteLLM then makes a chunk with the finish reason "stop".
    """
    finished = any(choice.finish_reason for choice in chunk.choices)
    if finished and getattr(sdk_stream, "received_finish_reason", "") is None:
        raise APIConnectionError("the response ended before its first event")


def _reported(error: Exception) -> dict[str, object] | None:
    """Return the event with the error that the provider reported inside the stream; None if it reported none."""
    # OpenAI's SDK uses exactly this class for such an error, and LiteLLM raises its own error in its place.
    bodies = (cause.body for cause in _causes(error) if type(cause) is openai.APIError)
    return next(({"error": body} for body in bodies if body is not None), None)


def _origin(error: Exception) -> Exception:
    """Return the error of the connection below LiteLLM's error, or else the error that its fallback error wraps."""
    network = next((cause for cause in _causes(error) if isinstance(cause, httpx.TransportError)), None)
    wrapped: Exception | None = error.original_exception if isinstance(error, MidStreamFallbackError) else None
    return network or wrapped or error


def _causes(error: BaseException | None) -> Iterator[Any]:
    """Yield an error and the errors that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
