"""Default clients of google-genai, whose HTTP clients capture the bodies of streams."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from google.genai import Client, types
from google.genai.version import __version__

from ..._sdk_internals import retry_options
from ...errors import ClientError, MissingApiKeyError
from ...transport import adapt_client

# Any: the modules, clients and responses of two HTTP libraries.

# The SDK's defaults are no timeout and no retries. These values are those of OpenAI's SDK: ten minutes, two retries.
_TIMEOUT_MS: Final = 600_000
# https://github.com/googleapis/python-genai: earlier versions ignore the retries of a request in async streams.
KEEPS_RETRIES: Final = tuple(map(int, __version__.split(".")[:2])) < (1, 67)
_RETRIES: Final = types.HttpRetryOptions(attempts=3, initial_delay=0.5, max_delay=8.0, jitter=0.25)


# ---- default clients


class DefaultClient(Client):
    """A client whose HTTP clients capture the bodies of streams.

    Attributes:
        http: The HTTP client of sync calls.
        async_http: The HTTP client of async calls.
    """

    http: Any
    async_http: Any
    _without_retries: Client | None = None

    def without_retries(self) -> Client:
        """Return a client that uses the connections of this one and sends each request once."""
        if self._without_retries is None:
            options = types.HttpOptions(timeout=_TIMEOUT_MS, httpx_client=self.http, httpx_async_client=self.async_http)
            project, location = _project_and_location(self.vertexai)
            self._without_retries = Client(
                vertexai=self.vertexai, project=project, location=location, http_options=options
            )
        return self._without_retries

    def __del__(self, suppress: Any = suppress, any_error: Any = Exception) -> None:
        # At interpreter shutdown, module globals and builtins may be gone; the parameters still refer to them.
        with suppress(any_error):
            self.http.close()


def default_client(*, vertexai: bool) -> DefaultClient:
    """Return a client for sync and async calls.

    Args:
        vertexai: Whether the client calls Vertex AI instead of the Gemini API.

    Raises:
        MissingApiKeyError: No API key for the Gemini API is set. Or a server replaces Vertex AI, and neither a key nor
            a project is set.
    """
    if not (vertexai or _key()):
        raise MissingApiKeyError(
            "neither GOOGLE_API_KEY nor GEMINI_API_KEY is set: set one of them to the API key for the Gemini API, set "
            "GOOGLE_GENAI_USE_VERTEXAI=true for Vertex AI, or pass `client=`"
        )
    if vertexai and os.environ.get("GOOGLE_VERTEX_BASE_URL") and not (_key() or os.environ.get("GOOGLE_CLOUD_PROJECT")):
        # The SDK would send the request to the bare address, which answers 404.
        raise MissingApiKeyError(
            "GOOGLE_VERTEX_BASE_URL is set, but neither GOOGLE_API_KEY nor GOOGLE_CLOUD_PROJECT: set the API key, set "
            "the project and GOOGLE_CLOUD_LOCATION, or pass `client=`"
        )
    library = http_library()
    http = library.Client(event_hooks={"response": [_capture_body]}, follow_redirects=True)
    async_http = library.AsyncClient(event_hooks={"response": [_acapture_body]}, follow_redirects=True)
    options = types.HttpOptions(
        timeout=_TIMEOUT_MS, retry_options=_RETRIES, httpx_client=http, httpx_async_client=async_http
    )
    project, location = _project_and_location(vertexai)
    client = DefaultClient(vertexai=vertexai, project=project, location=location, http_options=options)
    client.http, client.async_http = adapt_client(http), adapt_client(async_http)
    return client


def _key() -> str | None:
    return os.environ.get("GOOGLE_API_KEY") or os.environ.get("GEMINI_API_KEY")


def _project_and_location(vertexai: bool | None) -> tuple[str | None, str | None]:
    """Return the project and the location of the environment as arguments of a client.

    With a server in place of Vertex AI, the SDK keeps them only as arguments.
    """
    project = os.environ.get("GOOGLE_CLOUD_PROJECT") if vertexai else None
    return (project, os.environ.get("GOOGLE_CLOUD_LOCATION") or "global") if project else (None, None)


def client_of_one_attempt(client: Any) -> Any:
    """Return the client with which a request is sent once.

    Raises:
        ClientError: The client has retries, which this version of the SDK does not turn off for async streams.
    """
    if not KEEPS_RETRIES:
        return client
    if isinstance(client, DefaultClient):
        return client.without_retries()
    retries = retry_options(client)
    if retries is not None and retries.attempts != 1:
        raise ClientError(
            f"google-genai {__version__} repeats the retries of the client (`retry_options`) in each attempt of "
            "`retry=`: update to google-genai 1.67, or pass a client without `retry_options`"
        )
    return client


async def aclose(client: DefaultClient) -> None:
    """Close a default client that async calls used."""
    await client.async_http.aclose()
    client.http.close()


def http_library() -> Any:
    """Return the HTTP library that the SDK uses: httpx2 since version 3.0 if it is installed, otherwise httpx."""
    asked = os.environ.get("GOOGLE_GENAI_HTTP_CLIENT", "").lower()
    if int(__version__.partition(".")[0]) < 3 or asked == "httpx" or find_spec("httpx2") is None:
        return import_module("httpx")
    return import_module("httpx2")


# ---- bodies of streams


@dataclass(slots=True)
class BodyBox:
    """A slot for the HTTP response of one request.

    Attributes:
        streamed: Whether the body is captured and withheld from the SDK.
        response: The response; None until it arrives.
    """

    streamed: bool
    response: Any = None


_capture_box: ContextVar[BodyBox | None] = ContextVar("ferroscope_body", default=None)


@contextmanager
def capture_into(box: BodyBox | None) -> Iterator[None]:
    """Capture the next successful response in a box; with None, leave it to the SDK."""
    token = _capture_box.set(box)
    try:
        yield
    finally:
        _capture_box.reset(token)


def _capture_body(response: Any) -> None:
    """Capture a response in the box of its request. For a stream, leave the SDK an empty body."""
    box = _capture_box.get()
    if box is None or box.response is not None or response.status_code != 200:
        return  # not captured: the SDK must retry it or raise an error
    if not box.streamed:
        box.response = response
        return
    library = sys.modules[type(response).__module__.partition(".")[0]]
    body, response.stream = response.stream, library.ByteStream(b"")
    box.response = library.Response(
        200, headers=response.headers, stream=body, request=response.request, extensions=response.extensions
    )


async def _acapture_body(response: Any) -> None:
    _capture_body(response)
