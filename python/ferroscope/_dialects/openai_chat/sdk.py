"""The SDKs for chat completions: their methods and their objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol

from ..._lazy import load_name
from ...errors import MissingExtraError
from ..sdk_model import dump_event, read_model

# Any: the SDK's own objects pass through.


class ChatSdk(Protocol):
    """The differences between SDKs for this format."""

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments of the SDK's method for the members of a request."""
        ...

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        """Return the SDK's method that sends a request."""
        ...

    def read_response(self, data: bytes) -> Any:
        """Return the SDK's response object for a body."""
        ...

    def dump_event(self, event: Any) -> str:
        """Return the JSON text of an SDK's event object."""
        ...


@dataclass(frozen=True, slots=True)
class OpenAISdk:
    """OpenAI's SDK, and other SDKs from the same generator.

    Attributes:
        completion: The SDK's class of responses, as `"module:name"`.
        method_of: The SDK's class with the method that sends requests, as `"module:name"`. Parameters that the method
            does not know go into the body of the request. If empty, they are errors.
    """

    completion: str = "openai.types.chat:ChatCompletion"
    method_of: str = ""

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        return extend_body(request, method_parameters(self.method_of)) if self.method_of else request

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        return client.chat.completions.create  # type: ignore[no-any-return]

    def read_response(self, data: bytes) -> Any:
        return read_model(load_name(self.completion), data)

    def dump_event(self, event: Any) -> str:
        return dump_event(event)


@dataclass(frozen=True, slots=True)
class LazySdk:
    """The adapter of another SDK, imported on first use.

    Attributes:
        adapter: A `ChatSdk`, as `"module:name"`.
    """

    adapter: str

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        return load_name(self.adapter).arguments(request)  # type: ignore[no-any-return]

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        return load_name(self.adapter).method(client, asynchronous=asynchronous)  # type: ignore[no-any-return]

    def read_response(self, data: bytes) -> Any:
        return load_name(self.adapter).read_response(data)

    def dump_event(self, event: Any) -> str:
        return load_name(self.adapter).dump_event(event)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class UnusableSdk(OpenAISdk):
    """An SDK that is installed but cannot be imported. The call raises the error instead of the import.

    Attributes:
        module: The module of the SDK.
        reason: The message of the error.
    """

    module: str = ""
    reason: str = ""

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        raise MissingExtraError(self.reason, name=self.module)


OPENAI_SDK: Final = OpenAISdk()
COMPLETIONS: Final = "openai.resources.chat:Completions"
"""OpenAI's class with the method that sends requests."""
SERVER_SDK: Final = OpenAISdk(method_of=COMPLETIONS)
"""OpenAI's SDK, for servers with parameters of their own."""


@cache
def method_parameters(method_of: str) -> frozenset[str]:
    """Return the names of the parameters of the method `create` of a class, given as `"module:name"`."""
    return frozenset(inspect.signature(load_name(method_of).create).parameters)


def extend_body(request: Mapping[str, Any], parameters: frozenset[str]) -> dict[str, Any]:
    """Return keyword arguments for a method with these parameters. All others go into the body of the request."""
    kwargs = {name: value for name, value in request.items() if name in parameters}
    extras = {name: value for name, value in request.items() if name not in parameters}
    if extras:
        kwargs["extra_body"] = {**extras, **(kwargs.get("extra_body") or {})}
    return kwargs


def sync_client(base_url: str | None = None, api_key: str | None = None) -> Any:
    """Return a client of OpenAI's SDK for sync calls."""
    from openai import OpenAI

    return OpenAI(base_url=base_url, api_key=api_key)


def async_client(base_url: str | None = None, api_key: str | None = None) -> Any:
    """Return a client of OpenAI's SDK for async calls."""
    from openai import AsyncOpenAI

    return AsyncOpenAI(base_url=base_url, api_key=api_key)
