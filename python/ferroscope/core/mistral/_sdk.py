"""The adapter for Mistral's SDK: its functions and exceptions under the engine's names, for every major version.

https://github.com/mistralai/client-python
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ..._dialects.sdk_model import dump_event, read_model
from ..._engine.adapters import AsyncStream, ObjectStream, Stream, WithRequest, required_key, then
from ...transport import join_chunks

# Any: SDK objects are passed through.

if TYPE_CHECKING:
    from mistralai.client import Mistral, models
    from mistralai.client.errors import NoResponseError
    from mistralai.client.errors import SDKError as MistralError
    from mistralai.client.models import AssistantMessage as AssistantMessage
    from mistralai.client.models import SystemMessage as SystemMessage
    from mistralai.client.models import ToolMessage as ToolMessage
    from mistralai.client.models import UserMessage as UserMessage
else:
    # Since version 2.0, the client class is in `mistralai.client`; earlier versions have another module of that name.
    _package = "mistralai.client" if hasattr(import_module("mistralai.client"), "Mistral") else "mistralai"
    Mistral, models = import_module(_package).Mistral, import_module(f"{_package}.models")
    _errors = models if hasattr(models, "SDKError") else import_module(f"{_package}.errors")
    MistralError = getattr(_errors, "MistralError", _errors.SDKError)
    NoResponseError = getattr(_errors, "NoResponseError", ConnectionError)
    AssistantMessage, SystemMessage = models.AssistantMessage, models.SystemMessage
    ToolMessage, UserMessage = models.ToolMessage, models.UserMessage

ToolCall, CompletionChunk = models.ToolCall, models.CompletionChunk

_RENAMED: Final = {"seed": "random_seed"}
# The SDK's defaults are no timeout and no retries. These values are those of OpenAI's SDK: ten minutes, two retries.
_TIMEOUT_MS: Final = 600_000
_FIRST_BACKOFF_MS: Final = 500
_LAST_BACKOFF_MS: Final = 8_000
_MAX_RETRY_MS: Final = 5_000


class Sdk:
    """The SDK's calls and objects in the form that the dialect uses."""

    @staticmethod
    def arguments(request: dict[str, Any]) -> dict[str, Any]:
        kwargs = {_RENAMED.get(name, name): value for name, value in request.items()}
        if "timeout" in kwargs:
            kwargs["timeout_ms"] = int(kwargs.pop("timeout") * 1000)
        return kwargs

    @staticmethod
    def method(client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        return partial(_call, client.chat, asynchronous)

    @staticmethod
    def read_response(data: bytes) -> Any:
        return read_model(models.ChatCompletionResponse, data)

    @staticmethod
    def dump_event(event: Any) -> str:
        return dump_event(getattr(event, "data", event))


def _call(chat: Any, asynchronous: bool, *, stream: bool = False, **kwargs: Any) -> Any:
    # Renamed only here: until this point, redaction of secrets relies on the common name.
    if headers := kwargs.pop("extra_headers", None):
        kwargs["http_headers"] = headers
    name = "stream" if stream else "complete"
    answer = getattr(chat, f"{name}_async" if asynchronous else name)(**kwargs)
    return then(answer, _engine_stream if stream else _without_default_ids)


def _without_default_ids(answer: Any) -> Any:
    """Return a response whose tool calls have no ids that the server did not send: the SDK's default is `"null"`."""
    for choice in getattr(answer, "choices", None) or ():
        for call in getattr(choice.message, "tool_calls", None) or ():
            if "id" not in call.model_fields_set:
                call.id = ""
    return answer


def _engine_stream(sdk_stream: Any) -> Any:
    """Return a stream for the engine; a stream that the program has wrapped is returned as it is."""
    kinds: dict[str, type[ObjectStream]] = {"EventStream": Stream, "EventStreamAsync": AsyncStream}
    kind = kinds.get(type(sdk_stream).__name__)
    own = type(sdk_stream).__module__.partition(".")[0] == "mistralai"
    return kind(sdk_stream, sdk_stream.response) if kind is not None and own else sdk_stream


class APIStatusError(MistralError):
    """An error that the provider reports inside a stream."""

    def __init__(self, message: str, *, response: Any, body: object) -> None:
        super().__init__(message, response, "")
        self.body = body  # type: ignore[assignment]  # JSON here; the SDK's attribute is text


class APIConnectionError(WithRequest, NoResponseError):
    """A connection that broke before the response ended."""


class APITimeoutError(APIConnectionError):
    """A response that did not arrive in time."""


def sync_client() -> Any:
    """Return a client for sync and async calls.

    Raises:
        MissingApiKeyError: MISTRAL_API_KEY is not set.
    """
    key = required_key("MISTRAL_API_KEY", "mistral")
    retries = import_module(f"{Mistral.__module__.rpartition('.')[0]}.utils")
    backoff = retries.BackoffStrategy(_FIRST_BACKOFF_MS, _LAST_BACKOFF_MS, 1.5, _MAX_RETRY_MS)
    new_client = Mistral(
        api_key=key,
        server_url=os.environ.get("MISTRAL_BASE_URL") or None,
        timeout_ms=_TIMEOUT_MS,
        retry_config=retries.RetryConfig("backoff", backoff, True),
    )
    for http in (new_client.sdk_configuration.client, new_client.sdk_configuration.async_client):
        join_chunks(http)
    return new_client


async_client = sync_client  # one client has the methods of both kinds


def http_of(client: Any) -> Any:
    """Return the HTTP client of sync calls."""
    return client.sdk_configuration.client


async def close(client: Any) -> None:
    """Close a client of async calls."""
    await client.sdk_configuration.async_client.aclose()


def key_of(client: Any) -> Any:
    """Return the API key of a client."""
    return client.sdk_configuration.security.api_key
