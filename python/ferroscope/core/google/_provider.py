"""The record of the provider Google: the Gemini API, and Vertex AI for its clients."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from ..._dialects.gemini.dialect import GeminiContents
from ..._dialects.gemini.parameters import config_dict
from ..._dialects.gemini.parts import MessageRules
from ..._engine.clients import Clients
from ..._engine.provider import Provider
from ..._lazy import load_name
from .call_response import GoogleCallResponse
from .call_response_chunk import GoogleCallResponseChunk
from .stream import GoogleStream
from .tool import GoogleTool

# Any: a client of the SDK.
ADAPTER: Final = "ferroscope.core.google._sdk"
_CLIENTS: Final = "ferroscope.core.google._clients"
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
        url=_url,
        key=lambda client: client._api_client.api_key,
    )


def _url(client: Any) -> str:
    """Return the URL that a client sends requests to; empty if it is not an SDK client."""
    options = getattr(getattr(client, "_api_client", None), "_http_options", None)
    return str(getattr(options, "base_url", None) or "")


def _vertex_is_configured() -> bool:
    """Return whether the environment selects Vertex AI."""
    flags = ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI")
    return any(os.environ.get(flag, "").lower() in ("true", "1") for flag in flags)


def _is_vertex(client: Any) -> bool:
    """Return whether a client, or the default client for None, calls Vertex AI."""
    return _vertex_is_configured() if client is None else getattr(client, "vertexai", False) is True


def _once(client: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    config = kwargs.get("config") or {}
    options = {**config_dict(config.get("http_options")), "retry_options": {"attempts": 1}}
    return client, {**kwargs, "config": {**config, "http_options": options}}


_GEMINI: Final = Provider(
    name="google",
    dialect=contents("Google", is_vertex=False),
    sdk="google.genai",
    response=GoogleCallResponse,
    chunk=GoogleCallResponseChunk,
    stream=GoogleStream,
    tool=GoogleTool,
    clients=clients(_vertex_is_configured),
    telemetry_name="gcp.gemini",
    operation="generate_content",
    adapter_module=ADAPTER,
    once=_once,
    json_framing="json_lines",
)

GOOGLE: Final = replace(
    _GEMINI,
    alternatives=(
        replace(
            _GEMINI,
            dialect=contents("Google", is_vertex=True),
            telemetry_name="gcp.vertex_ai",
            accepts_client=_is_vertex,
        ),
    ),
)
