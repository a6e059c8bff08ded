"""The SDKs whose clients speak chat completions: how they are called, and what their objects are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ..._engine.clients import prefers_aiohttp
from ..._lazy import load_name
from ..sdk_model import dump_event, read_model

# Any: the SDK's own objects pass through.


class ChatSdk(Protocol):
    """In what SDKs for this format differ."""

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        """The keyword arguments of the SDK's method for a request, whose members they are."""
        ...

    def method(self, client: Any) -> Callable[..., Any]:
        """The SDK's method that sends a request."""
        ...

    def read_response(self, data: bytes) -> Any:
        """The SDK's response object for a body."""
        ...

    def dump_event(self, event: Any) -> str:
        """The JSON text of an SDK's event object."""
        ...


@dataclass(frozen=True, slots=True)
class OpenAISdk:
    """OpenAI's SDK, and those that are generated like it.

    Attributes:
        completion: The SDK's class of responses, as `"module:name"`.
    """

    completion: str = "openai.types.chat:ChatCompletion"

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def method(self, client: Any) -> Callable[..., Any]:
        return client.chat.completions.create  # type: ignore[no-any-return]

    def read_response(self, data: bytes) -> Any:
        return read_model(load_name(self.completion), data)

    def dump_event(self, event: Any) -> str:
        return dump_event(event)


OPENAI_SDK: Final = OpenAISdk()


def sync_client(base_url: str | None = None, api_key: str | None = None) -> Any:
    """Return a client of OpenAI's SDK for sync calls."""
    from openai import OpenAI

    return OpenAI(base_url=base_url, api_key=api_key)


def async_client(base_url: str | None = None, api_key: str | None = None) -> Any:
    """Return a client of OpenAI's SDK for async calls, over aiohttp where that is installed."""
    from openai import AsyncOpenAI

    return AsyncOpenAI(base_url=base_url, api_key=api_key, http_client=aiohttp_client())


def aiohttp_client() -> Any:
    """The HTTP client for a new async client of the SDK: over aiohttp where that is installed, else None.

    Events that come alone cost less there than over httpx. `FERROSCOPE_AIOHTTP=0` in the environment turns it off.
    """
    # The adapter between aiohttp and httpx comes with the SDK's `aiohttp` extra, or with the SDK since 3.0.
    if prefers_aiohttp():
        try:
            from openai import DefaultAioHttpClient

            return DefaultAioHttpClient()
        except (ImportError, RuntimeError):
            pass  # an SDK from before, or without its extra
    return None
