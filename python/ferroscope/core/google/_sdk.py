"""Google's SDK under the names that the engine uses, in all of its majors.

https://github.com/googleapis/python-genai

The SDK has no way to read the bytes of a stream, but it takes HTTP clients that were made elsewhere. Default clients
get one with a response hook: the hook keeps the body of a stream and leaves an empty one for the SDK. All else, such
as keys, retries and status errors, stays the SDK's. Other clients are iterated as objects.
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

from ..._dialects.gemini.parameters import HTTP_OPTIONS, http_options
from ..._dialects.gemini.sdk_objects import dump_event
from ..._engine.common_errors import class_of_both
from ...errors import APIConnectionError as LostConnectionError
from ...errors import ClientError, ProviderStreamError
from ._clients import BodyBox, http_library, wanted
from ._files import aupload, needs_upload, upload

# Any: the SDK's own objects pass through.

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
            f"a {module}.{type(client).__qualname__} is a client of an SDK that Google has abandoned; pass a "
            "`google.genai.Client` (for Vertex AI: `google.genai.Client(vertexai=True, ...)`), or none at all"
        )
    # One client has the methods of both kinds; its `aio` may be passed, too.
    both = client.aio if asynchronous and hasattr(client, "aio") else client
    return partial(_asend if asynchronous else _send, client, both.models)


def _send(client: Any, methods: Any, *, stream: bool = False, **kwargs: Any) -> Any:
    kwargs = _with_http_options(kwargs)
    if needs_upload(client, kwargs["contents"]):
        kwargs["contents"] = upload(client, kwargs["contents"])
    box = BodyBox(streamed=stream)
    if not stream:
        with wanted(box):
            return _checked(methods.generate_content(**kwargs), box)
    with wanted(box if _is_own(methods.generate_content_stream) else None):
        events = methods.generate_content_stream(**kwargs)
        if inspect.isawaitable(events):  # an async client: the engine explains it
            return events
        events = iter(events)
        # The SDK sends the request now.
        first = next(events, _END)
    return Stream(client, box.response) if box.response is not None else ObjectStream(client, events, first)


async def _asend(client: Any, methods: Any, *, stream: bool = False, **kwargs: Any) -> Any:
    kwargs = _with_http_options(kwargs)
    if needs_upload(client, kwargs["contents"]):
        kwargs["contents"] = await aupload(client, kwargs["contents"])
    box = BodyBox(streamed=stream)
    if not stream:
        with wanted(box), _unified():
            answer = methods.generate_content(**kwargs)
            return _checked(await answer if inspect.isawaitable(answer) else answer, box)
    with _unified(), wanted(box if _is_own(methods.generate_content_stream) else None):
        events = methods.generate_content_stream(**kwargs)
        events = aiter(await events if inspect.isawaitable(events) else events)
        first = await anext(events, _END)
    return AsyncStream(client, box.response) if box.response is not None else AsyncObjectStream(client, events, first)


def _checked(answer: Any, box: BodyBox) -> Any:
    """Return a response; the text of a body that is none, of which the SDK makes an empty response."""
    if not isinstance(answer, GenerateContentResponse) or any(getattr(answer, name) for name in _MEMBERS):
        return answer
    return box.response.text if box.response is not None else dump_event(answer)


def _with_http_options(kwargs: dict[str, Any]) -> dict[str, Any]:
    options = {name: kwargs.pop(name) for name in HTTP_OPTIONS & kwargs.keys()}
    if not options:
        return kwargs
    config = kwargs.get("config") or {}
    return {**kwargs, "config": {**config, "http_options": http_options(config.get("http_options"), options)}}


def _is_own(function: object) -> bool:
    """Whether a method is the SDK's own: a program that wrapped it counts on seeing the objects."""
    found = function.__func__ if type(function) is MethodType else None
    return type(found) is FunctionType and found.__code__.co_filename == models.__file__


# ---- streams


class Stream:
    """A stream of which the bytes are read.

    Attributes:
        client: The client. The SDK closes one that nobody refers to, under its streams too.
        response: The HTTP response.
    """

    def __init__(self, client: object, response: Any) -> None:
        self.client = client
        self.response = response

    def close(self) -> None:
        self.response.close()


class AsyncStream(Stream):
    """A stream of an async call of which the bytes are read."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.response.aiter_bytes()  # type: ignore[no-any-return]  # the engine reads the response itself

    async def aclose(self) -> None:
        await self.response.aclose()


class ObjectStream:
    """A stream of which the SDK's objects are read."""

    def __init__(self, client: object, events: Any, first: object) -> None:
        self.client = client
        self._events = events
        self._first = first

    def __iter__(self) -> Iterator[Any]:
        if self._first is not _END:
            yield self._first
            try:
                yield from self._events
            except errors.APIError as error:
                raise _of_stream(error) from None

    def close(self) -> None:
        if callable(close := getattr(self._events, "close", None)):
            close()


class AsyncObjectStream:
    """A stream of an async call of which the SDK's objects are read."""

    def __init__(self, client: object, events: Any, first: object) -> None:
        self.client = client
        self._events = events
        self._first = first

    async def __aiter__(self) -> AsyncIterator[Any]:
        if self._first is not _END:
            yield self._first
            try:
                async for event in self._events:
                    yield event
            except errors.APIError as error:
                raise _of_stream(error) from None
            except Exception as error:
                if _is_of_aiohttp(error):
                    raise ConnectionError(str(error)) from error
                raise

    async def aclose(self) -> None:
        """Close the connection.

        The SDK's generators do not, in any major version; a read that is cancelled does.
        """
        while True:
            read = asyncio.ensure_future(anext(self._events, _END))
            await asyncio.sleep(0)  # until it waits for the network, or has what came before
            read.cancel()
            with suppress(asyncio.CancelledError, Exception):
                if await read is not _END:
                    continue
            break
        close: Any = getattr(self._events, "aclose", None)
        if close is not None:
            await close()


# ---- exceptions, with the names and arguments that the engine uses


class APIError(errors.APIError):
    """An error that the provider reports inside a stream."""

    def __init__(self, message: str, *, request: object, body: object) -> None:
        details = body if isinstance(body, dict) else {"error": {"message": message}}
        reported = details.get("error", details)
        code = reported.get("code") if isinstance(reported, dict) else None
        super().__init__(code if isinstance(code, int) else 500, details)
        self.request = request
        self.body = body
        kind = class_of_both(ProviderStreamError, _stream_class(self.code))
        self.__class__ = kind  # type: ignore[assignment]  # a subclass of this class


class StreamClientError(APIError, errors.ClientError):
    """The same, with the code of a client's error."""


class StreamServerError(APIError, errors.ServerError):
    """The same, with the code of a server's error."""


def _stream_class(code: int) -> type[APIError]:
    return StreamClientError if 400 <= code < 500 else StreamServerError


def _of_stream(error: errors.APIError) -> errors.APIError:
    """Return an exception that the SDK raised inside a stream as one of these."""
    vars(error)["body"] = error.details
    error.__class__ = _stream_class(error.code or 500)
    return error


def _is_of_aiohttp(error: Exception) -> bool:
    """Whether a client's other HTTP library raised an exception: it takes aiohttp for async calls if it is there."""
    return type(error).__module__.partition(".")[0] == "aiohttp"


@contextmanager
def _unified() -> Iterator[None]:
    """Make an exception of aiohttp one of the common tree too."""
    try:
        yield
    except Exception as error:
        if _is_of_aiohttp(error):
            with suppress(TypeError):  # its instances are laid out in another way
                error.__class__ = class_of_both(LostConnectionError, type(error))
        raise


class APIConnectionError(http.RemoteProtocolError):
    """A connection that broke before the response ended."""

    def __init__(self, message: str = "", *, request: Any = None) -> None:
        super().__init__(message, request=request)


class APITimeoutError(http.ReadTimeout):
    """A response that did not arrive in time."""

    def __init__(self, message: str = "", *, request: Any = None) -> None:
        super().__init__(message, request=request)
