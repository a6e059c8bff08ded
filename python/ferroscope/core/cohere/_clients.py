"""The default clients of Cohere, which keep the responses of their requests.

The SDK has a public way to a stream's response since 7; before, only the HTTP client that it was given can see it.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any, Final

import cohere
import httpx
from cohere.environment import ClientEnvironment

from ...errors import MissingApiKeyError

# Any: the SDK's own objects pass through.

RETRIES: Final = 2
"""How often a request of these clients is sent again. The SDK itself never sends the request of a stream again."""
# The timeout of the SDK's own clients, in seconds.
_TIMEOUT: Final = 300.0

kept_responses: Final[ContextVar[list[httpx.Response] | None]] = ContextVar("kept_responses", default=None)
"""The list that a call wants the responses of its requests in."""


def _keep(response: httpx.Response) -> None:
    if (box := kept_responses.get()) is not None:
        box.append(response)


async def _akeep(response: httpx.Response) -> None:
    _keep(response)


def sync_client() -> Any:
    """Return a client for sync calls."""
    key = _key()
    http = httpx.Client(event_hooks={"response": [_keep]}, timeout=_TIMEOUT, follow_redirects=True)
    return _made(cohere.ClientV2, key, http)


def async_client() -> Any:
    """Return a client for async calls."""
    key = _key()
    http = httpx.AsyncClient(event_hooks={"response": [_akeep]}, timeout=_TIMEOUT, follow_redirects=True)
    return _made(cohere.AsyncClientV2, key, http)


def _key() -> str:
    key = os.environ.get("CO_API_KEY")
    if not key:
        raise MissingApiKeyError("CO_API_KEY is not set: put the API key for 'cohere' there, or pass `client=`")
    return key


def _made(kind: Any, key: str, http: Any) -> Any:
    # The SDK reads CO_API_URL once, when it is imported.
    url = os.environ.get("CO_API_URL") or ClientEnvironment.PRODUCTION.value
    made = kind(api_key=key, base_url=url, httpx_client=http, timeout=_TIMEOUT)
    made._client, made.base_url = http, url  # where the engine looks for them
    return made
