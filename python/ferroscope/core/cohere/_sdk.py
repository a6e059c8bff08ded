"""The adapter for Cohere's SDK: its functions under the engine's names, for the major versions 5 to 7.

https://github.com/cohere-ai/cohere-python
"""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from typing import Any, Final

import httpx
from cohere import V2ChatResponse
from cohere.core import ApiError
from cohere.v2.client import AsyncV2Client, V2Client

from ..._dialects.sdk_model import dump_event, read_model
from ._clients import RETRIES
from ._errors import APIConnectionError as APIConnectionError
from ._errors import APIStatusError as APIStatusError
from ._errors import APITimeoutError as APITimeoutError
from ._errors import sdk_errors

# Any: SDK objects are passed through.


# Seconds.
_FIRST_BACKOFF, _LAST_BACKOFF = 0.5, 8.0
_OPTIONS: Final = {
    "timeout": "timeout_in_seconds",
    "extra_headers": "additional_headers",
    "extra_query": "additional_query_parameters",
    "extra_body": "additional_body_parameters",
}
# Parameters of the API that the method of an older SDK does not have.
_IN_BODY: Final = frozenset({"logprobs", "priority", "strict_tools", "thinking", "tool_choice"})


class Sdk:
    """The SDK's calls and objects in the form that the dialect uses."""

    @staticmethod
    def arguments(request: dict[str, Any]) -> dict[str, Any]:
        return request

    @staticmethod
    def method(client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        v2 = client if isinstance(client, V2Client | AsyncV2Client) else client.v2
        send = _asend if isinstance(v2, AsyncV2Client) else _send
        return partial(send, v2, RETRIES if hasattr(client, "_client") else None)

    @staticmethod
    def read_response(data: bytes) -> Any:
        return read_model(V2ChatResponse, data)

    @staticmethod
    def dump_event(event: Any) -> str:
        return dump_event(event)


def _send(v2: Any, retries: int | None, *, stream: bool = False, **request: Any) -> Any:
    kwargs, attempts = _arguments(request, retries)
    with sdk_errors() as box:
        if not stream:
            return v2.chat(**kwargs)
        generator, open_raw = _stream(v2, kwargs)
        for attempt in range(attempts) if open_raw else ():
            try:
                manager = open_raw(**kwargs)
                return Stream(manager, manager.__enter__(), box)
            except ApiError as error:
                time.sleep(_delay(error, attempt, attempts))
        return generator


async def _asend(v2: Any, retries: int | None, *, stream: bool = False, **request: Any) -> Any:
    kwargs, attempts = _arguments(request, retries)
    with sdk_errors() as box:
        if not stream:
            return await v2.chat(**kwargs)
        generator, open_raw = _stream(v2, kwargs)
        for attempt in range(attempts) if open_raw else ():
            try:
                manager = open_raw(**kwargs)
                return AsyncStream(manager, await manager.__aenter__(), box)
            except ApiError as error:
                await _sleep(_delay(error, attempt, attempts))
        return generator


def _arguments(request: dict[str, Any], retries: int | None) -> tuple[dict[str, Any], int]:
    """Return the keyword arguments of the SDK's method, and the maximum number of attempts for a stream."""
    # Renamed only here: until this point, redaction of secrets relies on the common names.
    options = {theirs: request.pop(ours) for ours, theirs in _OPTIONS.items() if ours in request}
    body = {name: request.pop(name) for name in _IN_BODY.difference(_parameters()) if name in request}
    if body:
        options["additional_body_parameters"] = {**body, **(options.get("additional_body_parameters") or {})}
    options |= request.get("request_options") or {}
    if retries is None:
        return {**request, "request_options": options or None}, 1
    options.setdefault("max_retries", retries)
    return {**request, "request_options": options}, options["max_retries"] + 1


@cache
def _parameters() -> frozenset[str]:
    return frozenset(inspect.signature(V2Client.chat).parameters)


def _stream(v2: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return the SDK's stream, which sends the request on the first read, and the method that opens it with a response.

    The method is None for older SDKs, and if tracing has wrapped the stream and expects to see it being read.
    """
    generator = v2.chat_stream(**kwargs)
    frame = getattr(generator, "gi_frame", None) or getattr(generator, "ag_frame", None)
    if getattr(frame, "f_globals", {}).get("__name__") != V2Client.__module__:
        return generator, None
    return generator, getattr(getattr(v2, "with_raw_response", None), "chat_stream", None)


def _delay(error: Any, attempt: int, attempts: int) -> float:
    """Return the seconds until the next attempt, or raise the error if there is none."""
    if attempt + 1 >= attempts or not (error.status_code in (408, 429) or (error.status_code or 0) >= 500):
        raise error
    asked = (getattr(error, "headers", None) or {}).get("retry-after", "")
    return min(float(asked) if asked.isdigit() else _FIRST_BACKOFF * 2**attempt, _LAST_BACKOFF)


async def _sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)


class Stream:
    """A stream of the SDK that the program has not wrapped, with its response if that is available."""

    def __init__(self, manager: Any, raw: Any, box: list[httpx.Response]) -> None:
        # Taken by whoever closes the stream first: the thread that reads, or another one.
        self.managers = [manager]
        self.data = raw.data
        # Public since version 7; default clients capture the responses in the box.
        self.response = box[-1] if box else getattr(raw, "response", None)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)

    def close(self) -> None:
        with suppress(IndexError):
            self.managers.pop().__exit__(None, None, None)


class AsyncStream(Stream):
    """A stream of an async call."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return aiter(self.data)

    async def aclose(self) -> None:
        if self.managers:
            await self.managers.pop().__aexit__(None, None, None)
