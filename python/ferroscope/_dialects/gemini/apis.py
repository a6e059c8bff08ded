"""Google's two APIs, the Gemini API and Vertex AI, which one SDK serves.

https://github.com/googleapis/python-genai
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from ..._engine.clients import Clients
from ..._lazy import load_name
from ..._sdk_internals import api_key, base_url
from .dialect import GeminiContents
from .parameters import config_dict
from .parts import MessageRules

# Any: a client of the SDK.
ADAPTER: Final = "ferroscope._dialects.gemini.sdk"
_CLIENTS: Final = "ferroscope._dialects.gemini.clients"
_ENVIRONMENT: Final = (
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_VERTEX_BASE_URL",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_GENAI_USE_ENTERPRISE",
    "GOOGLE_GENAI_HTTP_CLIENT",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_APPLICATION_CREDENTIALS",
)


def contents(label: str, *, is_vertex: bool) -> GeminiContents:
    """Return the dialect of one of Google's two APIs."""
    return GeminiContents(MessageRules(label, reads_urls=is_vertex), f"{ADAPTER}:method")


def clients(is_vertex: Callable[[], bool]) -> Clients:
    """Return the factory of default clients, for the API that `is_vertex` selects when a client is created."""

    def make() -> Any:
        return load_name(f"{_CLIENTS}:default_client")(vertexai=is_vertex())

    return Clients(
        _ENVIRONMENT,
        make,
        make,
        http=lambda client: client.http,
        close=lambda client: load_name(f"{_CLIENTS}:aclose")(client),
        url=base_url,
        key=api_key,
    )


def vertex_is_configured() -> bool:
    """Return whether the environment selects Vertex AI."""
    flags = ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI")
    return any(os.environ.get(flag, "").lower() in ("true", "1") for flag in flags)


def is_vertex_client(client: Any) -> bool:
    """Return whether a client, or the default client for None, calls Vertex AI."""
    return vertex_is_configured() if client is None else getattr(client, "vertexai", False) is True


def send_once(client: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the client and the arguments with which the SDK sends a request once; see `Provider.once`."""
    config = kwargs.get("config") or {}
    options = {**config_dict(config.get("http_options")), "retry_options": {"attempts": 1}}
    sender = load_name(f"{_CLIENTS}:client_of_one_attempt")(client)
    return sender, {**kwargs, "config": {**config, "http_options": options}}
