"""Default clients for Cohere that capture the responses of their requests.

Version 7 of the SDK added a public method that returns a stream's response. In earlier versions, only a custom HTTP
client can capture it.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any, Final

import cohere
import httpx
from cohere.environment import ClientEnvironment

from ...errors import MissingApiKeyError

# Any: SDK objects are passed through.

RETRIES: Final = 2
"""The number of retries of a request. The SDK itself does not retry the request of a stream."""
# The default timeout of the SDK's clients, in seconds.
_TIMEOUT: Final = 300.0

captured_responses: Final[ContextVar[list[httpx.Response] | None]] = ContextVar("captured_responses", default=None)
"""The list in which the responses of the current call are captured."""


def _capture(response: httpx.Response) -> None:
    if (box := captured_responses.get()) is not None:
        box.append(response)


async def _acapture(response: httpx.Response) -> None:
    _capture(response)


def sync_client() -> Any:
    """Return a client for sync calls.

    Raises:
        MissingApiKeyError: CO_API_KEY is not set.
    """
    key = _key()
    http = httpx.Client(event_hooks={"response": [_capture]}, timeout=_TIMEOUT, follow_redirects=True)
    return _build_client(cohere.ClientV2, key, http)


def async_client() -> Any:
    """Return a client for async calls.

    Raises:
        MissingApiKeyError: CO_API_KEY is not set.
    """
    key = _key()
    http = httpx.AsyncClient(event_hooks={"response": [_acapture]}, timeout=_TIMEOUT, follow_redirects=True)
    return _build_client(cohere.AsyncClientV2, key, http)


def _key() -> str:
    key = os.environ.get("CO_API_KEY")
    if not key:
        raise MissingApiKeyError("CO_API_KEY is not set: set it to the API key for 'cohere', or pass `client=`")
    return key


def _build_client(kind: Any, key: str, http: Any) -> Any:
    # The SDK reads CO_API_URL only once, at import.
    url = os.environ.get("CO_API_URL") or ClientEnvironment.PRODUCTION.value
    client = kind(api_key=key, base_url=url, httpx_client=http, timeout=_TIMEOUT)
    client._client, client.base_url = http, url  # the attributes that the engine reads
    return client
