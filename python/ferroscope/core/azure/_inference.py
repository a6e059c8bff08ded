"""The adapter for azure-ai-inference, the SDK that v1 used for Azure and that Microsoft has retired.

https://learn.microsoft.com/python/api/overview/azure/ai-inference-readme

Its clients, objects and exceptions differ from those of the other SDKs. This module converts them to the form that the
engine expects: a stream has a `response` whose bytes can be read, and exceptions have the names and parameters of those
in OpenAI's SDK.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
from azure.ai.inference.models import (
    AsyncStreamingChatCompletions,
    ChatCompletions,
    ChatCompletionsToolCall,
    JsonSchemaFormat,
    StreamingChatCompletions,
    StreamingChatCompletionsUpdate,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from ..._engine.adapters import AsyncStream, ObjectStream, Stream, WithBody, WithRequest, then
from ..._engine.clients import Clients
from ..._engine.common_errors import class_of_both
from ..._engine.provider import Provider
from ..._engine.raw_response import RawResponse
from ..._sdk_internals import model_extras, raw_response
from ...errors import MissingApiKeyError
from ..base._tools.call import PendingToolCall, ToolCallAttribute
from .call_response_chunk import AzureCallResponseChunk
from .tool import AzureTool

# Any: SDK objects are passed through.

_PARAMETERS = frozenset(
    name
    for name, parameter in inspect.signature(ChatCompletionsClient.complete).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
)
# Options for azure-core. They are renamed only for the call, because redaction of secrets relies on OpenAI's names.
_AZURE_CORE_NAMES = {"extra_headers": "headers", "extra_query": "params"}
_ACCEPTED = _PARAMETERS.union(
    _AZURE_CORE_NAMES,
    {"connection_timeout", "headers", "params", "raw_request_hook", "raw_response_hook", "read_timeout"},
)


# ---- calls


@dataclass(frozen=True, slots=True)
class InferenceSdk:
    """azure-ai-inference, called with a request in OpenAI's format."""

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        kwargs: dict[str, Any] = {}
        extras: dict[str, Any] = {}
        for name, value in request.items():
            (kwargs if name in _ACCEPTED else extras)[name] = value
        if "timeout" in extras:
            kwargs["read_timeout"] = extras.pop("timeout")
        extras = {**extras.pop("extra_body", {}), **extras, **kwargs.pop("model_extras", {})}
        if extras:
            kwargs["model_extras"] = extras
        if isinstance(kwargs.get("stop"), str):
            kwargs["stop"] = [kwargs["stop"]]
        if "messages" in kwargs:
            kwargs["messages"] = [_without_name(message) for message in kwargs["messages"]]
        if "response_format" in kwargs:
            kwargs["response_format"] = _response_format(kwargs["response_format"])
        return kwargs

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        return partial(_complete, client)

    def read_response(self, data: bytes) -> Any:
        return ChatCompletions(json.loads(data))

    def dump_event(self, event: Any) -> str:
        return json.dumps(event.as_dict() if hasattr(event, "as_dict") else event, default=vars)


def _without_name(message: Any) -> Any:
    """Return a tool message without the tool's name, which this API does not have."""
    if isinstance(message, dict) and message.get("role") == "tool" and "name" in message:
        return {key: value for key, value in message.items() if key != "name"}
    return message


def _response_format(given: Any) -> Any:
    """Return the response format for the SDK, from the SDK's own form, OpenAI's form or a plain schema."""
    if not isinstance(given, dict):
        return given
    if given.get("type", "json_schema") != "json_schema":
        return given["type"]
    return JsonSchemaFormat(given.get("json_schema", given))


def _complete(client: Any, **kwargs: Any) -> Any:
    """Call the client, and return a response or a stream whose bytes can be read."""
    # The SDK replaces the client's `model_extras` with those of the call; merge them instead.
    if "model_extras" in kwargs:
        kwargs["model_extras"] = {**model_extras(client), **kwargs["model_extras"]}
    for name, own in _AZURE_CORE_NAMES.items():
        if given := kwargs.pop(name, None):
            kwargs[own] = {**kwargs.get(own, {}), **given}
    if not kwargs.get("stream"):
        return client.complete(**kwargs)
    answers: list[Any] = []  # one per attempt
    user_hook = kwargs.pop("raw_response_hook", None)

    def hook(answer: Any) -> None:
        answers.append(answer.http_response)
        if user_hook is not None:
            user_hook(answer)

    answer = client.complete(raw_response_hook=hook, **kwargs)
    return then(answer, lambda sdk_stream: _engine_stream(sdk_stream, answers))


def _engine_stream(sdk_stream: Any, answers: list[Any]) -> Any:
    """Return the stream for the engine; a stream that was wrapped (by tracing or tests) is returned as it is."""
    kinds: dict[type, type[ObjectStream]] = {
        StreamingChatCompletions: Stream,
        AsyncStreamingChatCompletions: AsyncStream,
    }
    kind = kinds.get(type(sdk_stream))
    if kind is None or not answers:
        return sdk_stream
    response = answers[-1]
    # The urllib3 response of the SDK's default transport.
    raw = raw_response(response)
    request, read = response.request, response.iter_bytes
    return kind(sdk_stream, RawResponse(response, raw, request=request, read=read, errors=_network_errors))


@contextmanager
def _network_errors() -> Iterator[None]:
    """Convert azure-core's errors of a read to the built-in network errors."""
    try:
        yield
    except ServiceResponseTimeoutError as error:
        raise TimeoutError(str(error)) from error
    except AzureError as error:
        raise ConnectionError(str(error)) from error


# ---- exceptions, with the names and parameters of those in OpenAI's SDK


class APIError(WithBody, HttpResponseError):
    """An error that the provider reports inside a stream."""


class APIConnectionError(WithRequest, IncompleteReadError, ServiceResponseError):
    """A connection that broke before the response ended; azure-core raises either of the two base classes."""


class APITimeoutError(WithRequest, ServiceResponseTimeoutError):
    """A response that did not arrive in time."""


# ---- objects


class InferenceChunk(AzureCallResponseChunk):
    """A chunk whose `chunk` is a `StreamingChatCompletionsUpdate`."""

    __slots__ = ()

    @classmethod
    def _read(cls, data: bytes) -> StreamingChatCompletionsUpdate:
        return StreamingChatCompletionsUpdate(json.loads(data))


class _PendingToolCall(PendingToolCall[Any]):
    __slots__ = ()

    def build(self) -> ChatCompletionsToolCall:
        return self.from_mapping(
            {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}
        )

    @classmethod
    def from_mapping(cls, value: Mapping[str, object]) -> ChatCompletionsToolCall:
        return ChatCompletionsToolCall(value)


class InferenceTool(AzureTool):
    """A tool whose `tool_call` is a `ChatCompletionsToolCall`."""

    __pending_tool_call__: ClassVar[type[PendingToolCall[Any]] | None] = _PendingToolCall


# As for the base class: pydantic leaves no class attribute for a field.
setattr(InferenceTool, "tool_call", ToolCallAttribute())  # noqa: B010


# ---- clients


def _endpoint() -> str:
    endpoint = os.environ.get("AZURE_INFERENCE_ENDPOINT")
    if not endpoint:
        raise KeyError("AZURE_INFERENCE_ENDPOINT is not set: set it to the URL of the endpoint, or pass `client=`")
    return endpoint


def _credential(identity: str) -> Any:
    key = os.environ.get("AZURE_INFERENCE_CREDENTIAL")
    if key:
        return AzureKeyCredential(key)
    from importlib import import_module

    try:
        return import_module(identity).DefaultAzureCredential()
    except ImportError:
        raise class_of_both(MissingApiKeyError, KeyError)(
            "AZURE_INFERENCE_CREDENTIAL is not set: set it to the API key, or install azure-identity to use the "
            "identity that you are signed in with"
        ) from None


def sync_client() -> ChatCompletionsClient:
    """Return a client for sync calls."""
    return ChatCompletionsClient(_endpoint(), _credential("azure.identity"))


def async_client() -> AsyncChatCompletionsClient:
    """Return a client for async calls."""
    return _AsyncClient(_endpoint(), _credential("azure.identity.aio"))


class _AsyncClient(AsyncChatCompletionsClient):
    """A default client that also closes its own credential, which has connections too."""

    def __init__(self, endpoint: str, credential: Any) -> None:
        super().__init__(endpoint, credential)
        self._owned_credential = credential

    async def close(self) -> None:
        await super().close()
        if hasattr(self._owned_credential, "close"):
            await self._owned_credential.close()


# ---- the record


def adapted_record(record: Provider) -> Provider:
    """Return the record of the provider for this SDK, from its record for OpenAI's SDK."""
    return replace(
        record,
        dialect=replace(record.dialect, sdk=InferenceSdk()),  # type: ignore[type-var]  # an `OpenAIChat`
        sdk="azure",
        errors={
            "DecodeError": "APIError",
            "ServiceRequestError": "APIConnectionError",
            "ServiceRequestTimeoutError": "APITimeoutError",
            "ServiceResponseError": "APIConnectionError",
            "ServiceResponseTimeoutError": "APITimeoutError",
        },
        telemetry_name="azure.ai.inference",
        adapter_module=__name__,
        chunk=InferenceChunk,
        tool=InferenceTool,
        clients=Clients.of_adapter(__name__, ("AZURE_INFERENCE_ENDPOINT", "AZURE_INFERENCE_CREDENTIAL")),
        once=lambda client, kwargs: (client, {**kwargs, "retry_total": 0}),
    )
