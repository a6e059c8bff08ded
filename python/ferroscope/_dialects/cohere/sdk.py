"""The adapter for Cohere's SDK: its functions and exceptions under the engine's names, for the major versions 5 to 7.

https://github.com/cohere-ai/cohere-python

Version 7 added a public method that returns the response of a stream. In earlier versions, only an HTTP client of our
own can capture it, which the default clients have.
"""

from __future__ import annotations

import inspect
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import cache, partial
from typing import Any, Final

import cohere
import httpx
from cohere import V2ChatResponse
from cohere.core import ApiError
from cohere.environment import ClientEnvironment
from cohere.v2.client import AsyncV2Client, V2Client

from ..._engine.adapters import AsyncStream, Stream, required_key
from ..._engine.drive import Flow, adrive, captured, drive
from ..._sdk_internals import bearer_token, http_client, set_http_client
from ...core.base._responses.secrets import REDACTED
from ..sdk_model import dump_event, read_model

# Any: SDK objects are passed through.


_RETRIES: Final = 2  # the SDK itself does not retry the request of a stream
# The default timeout of the SDK's clients, in seconds.
_TIMEOUT: Final = 300.0
# The list in which the responses of the current call are captured.
_captured: Final[ContextVar[list[httpx.Response] | None]] = ContextVar("captured_responses", default=None)

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
        call = _acall if isinstance(v2, AsyncV2Client) else _call
        return partial(call, v2, _RETRIES if http_client(client) is not None else None)

    @staticmethod
    def read_response(data: bytes) -> Any:
        return read_model(V2ChatResponse, data)

    @staticmethod
    def dump_event(event: Any) -> str:
        return dump_event(event)


def _call(v2: Any, retries: int | None, **request: Any) -> Any:
    with _sdk_errors() as box:
        return drive(_steps(v2, retries, box, is_async=False, **request))


async def _acall(v2: Any, retries: int | None, **request: Any) -> Any:
    with _sdk_errors() as box:
        return await adrive(_steps(v2, retries, box, is_async=True, **request))


def _steps(
    v2: Any, retries: int | None, box: list[httpx.Response], *, is_async: bool, stream: bool = False, **request: Any
) -> Flow:
    kwargs, attempts = _arguments(request, retries)
    if not stream:
        return (yield partial(v2.chat, **kwargs))
    generator, open_raw = _stream(v2, kwargs)
    for attempt in range(attempts) if open_raw else ():
        opened: Any = AsyncExitStack() if is_async else ExitStack()
        enter = opened.enter_async_context if is_async else opened.enter_context
        outcome = yield captured(lambda: enter(open_raw(**kwargs)), is_async=is_async)  # noqa: B023  # called at once
        if outcome.error is None:
            # Public since version 7; default clients capture the response in the box.
            response = box[-1] if box else getattr(outcome.value, "response", None)
            if is_async:
                return AsyncStream(outcome.value.data, response, close=opened.aclose)
            return Stream(outcome.value.data, response, close=partial(_close, opened))
        yield partial(_sleep if is_async else time.sleep, _delay(outcome.error, attempt, attempts))
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
    status = getattr(error, "status_code", None) or 0
    if attempt + 1 >= attempts or not (status in (408, 429) or status >= 500):
        raise error
    asked = (getattr(error, "headers", None) or {}).get("retry-after", "")
    return min(float(asked) if asked.isdigit() else _FIRST_BACKOFF * 2**attempt, _LAST_BACKOFF)


async def _sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)


def _close(opened: ExitStack) -> None:
    with suppress(IndexError):  # another thread has just closed it
        opened.close()


# ---- exceptions, with the parameters that the engine uses


class APIStatusError(ApiError):
    """An error that the provider reports inside a stream."""

    def __init__(self, message: str, *, response: Any, body: object) -> None:
        # The error is in the delta of the last event.
        reported = body.get("delta") or body if isinstance(body, dict) else {}
        super().__init__(status_code=response.status_code, body=reported or body)
        self.message = reported.get("error", message)


class APIConnectionError(ApiError):
    """A connection that broke before the response ended."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(body=message)
        self.request = request


class APITimeoutError(APIConnectionError):
    """A response that did not arrive in time."""


@contextmanager
def _sdk_errors() -> Iterator[list[httpx.Response]]:
    """Capture the responses of a default client, and hide header values in the text of errors."""
    box: list[httpx.Response] = []
    _captured.set(box)
    try:
        yield box
    except ApiError as error:
        if 200 <= (error.status_code or 0) < 300:  # not a status error: the body is not JSON
            raise json.JSONDecodeError("not JSON", str(error.body or ""), 0) from error
        if headers := getattr(error, "headers", None):
            error.headers = _Headers(headers)
        raise
    except TypeError as error:
        if not box:  # an error of the program, such as a parameter that the SDK does not have
            raise
        # The SDK parses any JSON as a response, and fails for a list.
        raise json.JSONDecodeError("not a response", box[-1].text, 0) from error
    finally:
        _captured.set(None)


class _Headers(dict[str, str]):
    """Headers whose values are hidden in the representation."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, REDACTED))


# ---- default clients


def _capture(response: httpx.Response) -> None:
    if (box := _captured.get()) is not None:
        box.append(response)


async def _acapture(response: httpx.Response) -> None:
    _capture(response)


def sync_client() -> Any:
    """Return a client for sync calls.

    Raises:
        MissingApiKeyError: CO_API_KEY is not set.
    """
    key = required_key("CO_API_KEY", "cohere")
    http = httpx.Client(event_hooks={"response": [_capture]}, timeout=_TIMEOUT, follow_redirects=True)
    return _build_client(cohere.ClientV2, key, http)


def async_client() -> Any:
    """Return a client for async calls.

    Raises:
        MissingApiKeyError: CO_API_KEY is not set.
    """
    key = required_key("CO_API_KEY", "cohere")
    http = httpx.AsyncClient(event_hooks={"response": [_acapture]}, timeout=_TIMEOUT, follow_redirects=True)
    return _build_client(cohere.AsyncClientV2, key, http)


def _build_client(kind: Any, key: str, http: Any) -> Any:
    # The SDK reads CO_API_URL only once, at import.
    url = os.environ.get("CO_API_URL") or ClientEnvironment.PRODUCTION.value
    client = kind(api_key=key, base_url=url, httpx_client=http, timeout=_TIMEOUT)
    client.base_url = url
    set_http_client(client, http)
    return client


async def close(client: Any) -> None:
    """Close a client of async calls."""
    await http_client(client).aclose()


def key_of(client: Any) -> Any:
    """Return the API key of a client."""
    return bearer_token(client)
