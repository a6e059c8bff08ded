"""The adapter for Google's SDK: its functions and exceptions under the engine's names, for every major version.

https://github.com/googleapis/python-genai

The SDK has no method that returns the bytes of a stream, but it accepts existing HTTP clients. The default clients
have an HTTP client with a response hook. The hook captures the body of a stream and leaves the SDK an empty one. The
SDK still does everything else, such as authentication, retries and status errors. Streams of other clients are read as
SDK objects.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from google.genai import errors, models
from google.genai.types import GenerateContentResponse

from ..._engine.adapters import AsyncObjectStream, AsyncStream, ObjectStream, Stream, WithRequest
from ..._engine.common_errors import class_of_both
from ...core.base._suggestions import type_name, with_article
from ...errors import APIConnectionError as LostConnectionError
from ...errors import APIError as CommonAPIError
from ...errors import ClientError, ProviderStreamError
from .clients import BodyBox, capture_into, http_library
from .files import aupload, needs_upload, upload
from .parameters import HTTP_OPTIONS, http_options
from .sdk_objects import dump_event, read_response

# Any: SDK objects are passed through.

if TYPE_CHECKING:
    import httpx2 as http
else:
    http = http_library()

_END: Final = object()
_MEMBERS: Final = ("candidates", "prompt_feedback", "usage_metadata", "model_version", "response_id")
_ABANDONED: Final = ("google.generativeai", "vertexai", "google.cloud.aiplatform")


# ---- calls


def method(client: Any, *, asynchronous: bool) -> Callable[..., Any]:
    """Return the function that sends a request."""
    module = type(client).__module__
    if module.startswith(_ABANDONED):
        raise ClientError(
            f"{with_article(type_name(client))} is a client of an SDK that Google has abandoned; pass a "
            "`google.genai.Client` (for Vertex AI: `google.genai.Client(vertexai=True, ...)`), or omit `client=`"
        )
    # One client has both the sync and the async methods; its `aio` may be passed, too.
    both = client.aio if asynchronous and hasattr(client, "aio") else client
    return partial(_asend if asynchronous else _send, client, both.models)


def _send(client: Any, methods: Any, *, stream: bool = False, **kwargs: Any) -> Any:
    kwargs = _with_http_options(kwargs)
    if needs_upload(client, kwargs["contents"]):
        kwargs["contents"] = upload(client, kwargs["contents"])
    box = BodyBox(streamed=stream)
    if not stream:
        with capture_into(box):
            try:
                return _response_or_text(methods.generate_content(**kwargs), box)
            except AttributeError:
                return _reread(box)
    with capture_into(box if _is_sdk_method(methods.generate_content_stream) else None):
        events = methods.generate_content_stream(**kwargs)
        if inspect.isawaitable(events):  # an async client; the engine raises the error
            return events
        events = iter(events)
        # The SDK sends the request on the first iteration.
        first = next(events, _END)
    if box.response is not None:
        return Stream(None, box.response, owner=client)
    close = getattr(events, "close", None)
    return ObjectStream(_from(first, events), close=close, errors=_stream_errors, owner=client)


async def _asend(client: Any, methods: Any, *, stream: bool = False, **kwargs: Any) -> Any:
    kwargs = _with_http_options(kwargs)
    if needs_upload(client, kwargs["contents"]):
        kwargs["contents"] = await aupload(client, kwargs["contents"])
    box = BodyBox(streamed=stream)
    if not stream:
        with capture_into(box), _unified_errors():
            try:
                answer = methods.generate_content(**kwargs)
                return _response_or_text(await answer if inspect.isawaitable(answer) else answer, box)
            except AttributeError:
                return _reread(box)
    with _unified_errors(), capture_into(box if _is_sdk_method(methods.generate_content_stream) else None):
        events = methods.generate_content_stream(**kwargs)
        events = aiter(await events if inspect.isawaitable(events) else events)
        first = await anext(events, _END)
    if box.response is not None:
        return AsyncStream(None, box.response, owner=client)
    close = partial(_cancel, events)
    return AsyncObjectStream(_afrom(first, events), close=close, errors=_stream_errors, owner=client)


def _response_or_text(answer: Any, box: BodyBox) -> Any:
    """Return a response, or the text of a body that the SDK could only parse to an empty response."""
    if not isinstance(answer, GenerateContentResponse) or any(getattr(answer, name) for name in _MEMBERS):
        return answer
    return box.response.text if box.response is not None else dump_event(answer)


def _reread(box: BodyBox) -> Any:
    """Return the response in a body that the SDK fails on, such as one with numbers in place of words.

    Called while the SDK's exception is handled; raises it if the body was not captured.
    """
    if box.response is None:
        raise  # the exception that is being handled
    return read_response(box.response.content)


def _with_http_options(kwargs: dict[str, Any]) -> dict[str, Any]:
    options = {name: kwargs.pop(name) for name in HTTP_OPTIONS & kwargs.keys()}
    if not options:
        return kwargs
    config = kwargs.get("config") or {}
    return {**kwargs, "config": {**config, "http_options": http_options(config.get("http_options"), options)}}


def _is_sdk_method(function: object) -> bool:
    """Return whether a method is the SDK's own. Code that wraps it expects to see SDK objects."""
    found = function.__func__ if type(function) is MethodType else None
    return type(found) is FunctionType and found.__code__.co_filename == models.__file__


# ---- streams


# Every stream keeps its client: the SDK closes an unreferenced client and its streams.


def _from(first: object, events: Any) -> Iterator[Any]:
    """Yield the first event and the others."""
    if first is not _END:
        yield first
        yield from events


async def _afrom(first: object, events: Any) -> AsyncIterator[Any]:
    if first is not _END:
        yield first
        async for event in events:
            yield event


async def _cancel(events: Any) -> None:
    """Close the connection of an async stream.

    In every major version, closing the SDK's generator leaves the connection open, but cancelling a read closes it.
    """
    while True:
        read = asyncio.ensure_future(anext(events, _END))
        await asyncio.sleep(0)  # until the read waits for the network, or has returned buffered data
        read.cancel()
        with suppress(asyncio.CancelledError, Exception):
            if await read is not _END:
                continue
        break
    close = getattr(events, "aclose", None)
    if close is not None:
        await close()


@contextmanager
def _stream_errors() -> Iterator[None]:
    """Convert the exceptions that the SDK raises inside a stream."""
    try:
        yield
    except errors.APIError as error:
        vars(error)["body"] = error.details
        error.__class__ = _stream_class(error.code or 500)
        raise
    except Exception as error:
        if _is_aiohttp_error(error):
            raise ConnectionError(str(error)) from error
        raise


# ---- exceptions, with the names and parameters that the engine uses


class APIError(errors.APIError):
    """An error that the provider reports inside a stream, or in the body of a successful response."""

    def __init__(self, message: str, *, request: object, body: object) -> None:
        details = body if isinstance(body, dict) else {"error": {"message": message}}
        reported = details.get("error", details)
        code = reported.get("code") if isinstance(reported, dict) else None
        super().__init__(code if isinstance(code, int) else 500, details)
        self.request = request
        self.body = body
        ours = ProviderStreamError if isinstance(self, ProviderStreamError) else CommonAPIError
        kind = class_of_both(ours, _stream_class(self.code))
        self.__class__ = kind  # type: ignore[assignment]  # a subclass of this class


class StreamClientError(APIError, errors.ClientError):
    """An error inside a stream with a status code of a client error (400 to 499)."""


class StreamServerError(APIError, errors.ServerError):
    """An error inside a stream with any other status code."""


def _stream_class(code: int) -> type[APIError]:
    return StreamClientError if 400 <= code < 500 else StreamServerError


def _is_aiohttp_error(error: Exception) -> bool:
    """Return whether aiohttp raised an exception; the SDK uses it for async calls if it is installed."""
    return type(error).__module__.partition(".")[0] == "aiohttp"


@contextmanager
def _unified_errors() -> Iterator[None]:
    """Make an aiohttp exception an instance of the common exception class too."""
    try:
        yield
    except Exception as error:
        if _is_aiohttp_error(error):
            with suppress(TypeError):  # the class has an incompatible memory layout
                error.__class__ = class_of_both(LostConnectionError, type(error))
        raise


class APIConnectionError(WithRequest, http.RemoteProtocolError):
    """A connection that broke before the response ended."""


class APITimeoutError(WithRequest, http.ReadTimeout):
    """A response that did not arrive in time."""
