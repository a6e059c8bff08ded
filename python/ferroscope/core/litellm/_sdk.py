"""The adapter for LiteLLM: its functions under the engine's names.

https://docs.litellm.ai
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import litellm
import orjson
from litellm.exceptions import MidStreamFallbackError

from ..._dialects.sdk_model import read_json
from ...errors import ClientError
from ._no_client import NoClient

# Any: LiteLLM objects are passed through.


class Sdk:
    """LiteLLM's calls and objects in the form that the dialect uses."""

    @staticmethod
    def arguments(request: dict[str, Any]) -> dict[str, Any]:
        return request

    @staticmethod
    def method(client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        # LiteLLM creates its own clients: one serves only one vendor.
        if not isinstance(client, NoClient):
            raise ClientError(
                f"LiteLLM makes its own clients, so a {type(client).__qualname__} would not be used: omit `client=`, "
                "and pass `api_key` and `api_base` in `call_params`"
            )
        return _acall if asynchronous else _call

    @staticmethod
    def read_response(data: bytes) -> Any:
        return litellm.ModelResponse(**read_json(data))

    @staticmethod
    def dump_event(event: Any) -> str:
        # `model_dump_json` takes about ten times as long as serializing the fields.
        return orjson.dumps(event, default=_fields).decode()


def _call(**kwargs: Any) -> Any:
    answer = litellm.completion(**kwargs)
    return Stream(answer) if isinstance(answer, litellm.CustomStreamWrapper) else answer


async def _acall(**kwargs: Any) -> Any:
    answer = await litellm.acompletion(**kwargs)
    return AsyncStream(answer) if isinstance(answer, litellm.CustomStreamWrapper) else answer


class Stream:
    """A stream of LiteLLM with a connection that can be closed, and with the vendor's own errors."""

    def __init__(self, sdk_stream: Any) -> None:
        self.sdk_stream = sdk_stream
        self.response = getattr(sdk_stream.completion_stream, "response", None)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self.sdk_stream
        except MidStreamFallbackError as error:
            raise _vendor_error(error) from error

    def close(self) -> None:
        """Close the connection, which LiteLLM's own `close` may leave open."""
        if callable(close := getattr(self.sdk_stream.completion_stream, "close", None)):
            close()


class AsyncStream(Stream):
    """A stream of an async call."""

    async def __aiter__(self) -> AsyncGenerator[Any, None]:
        try:
            async for chunk in self.sdk_stream:
                yield chunk
        except MidStreamFallbackError as error:
            raise _vendor_error(error) from error

    async def aclose(self) -> None:
        """Close the connection, which LiteLLM's own `aclose` may leave open."""
        source = self.sdk_stream.completion_stream
        close = getattr(source, "aclose", None) or getattr(source, "close", None)
        if close is not None and inspect.isawaitable(closing := close()):
            await closing


def _vendor_error(error: Any) -> Exception:
    """Return the vendor's error that LiteLLM's fallback error wraps."""
    origin: Exception = getattr(error, "original_exception", None) or error
    return origin


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a LiteLLM object that are not None."""
    extra = getattr(value, "__pydantic_extra__", None) or {}
    return {name: field for name, field in {**vars(value), **extra}.items() if field is not None}
