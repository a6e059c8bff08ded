"""The adapter for AWS's SDKs (boto3, aiobotocore, aioboto3), whose clients are all based on botocore.

https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/bedrock-runtime/client/converse_stream.html

The HTTP response comes from a public event hook, which a client calls when a request has succeeded.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Final

from pydantic_core import from_json

from ..._engine.adapters import AsyncObjectStream, AsyncStream, ObjectStream, Stream
from ..._engine.raw_response import RawResponse
from .clients import AsyncClient, async_client, http_of, sync_client
from .errors import APIConnectionError, APIError, APITimeoutError, completed_errors, network_errors, stream_errors
from .stream import Head

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AsyncStream",
    "Stream",
    "async_client",
    "http_of",
    "sender",
    "sync_client",
]

# Any: AWS's SDKs have no types.

_READ_SIZE: Final = 64 * 1024
_STREAMS: Final = ("botocore.eventstream", "aiobotocore.eventstream")

_RETRIES: Final = "needs-retry.bedrock-runtime"
# The client of a request that must not be retried by the SDK.
_single_attempt_client: ContextVar[Any] = ContextVar("single", default=None)
_received: ContextVar[list[Any] | None] = ContextVar("received", default=None)


# ---- calls


def sender(client: Any) -> Callable[..., Any]:
    """Return the function that sends a request with a client."""
    if isinstance(client, AsyncClient):
        return partial(_open_and_send, client)
    _ = client.converse, client.converse_stream, client.meta.events  # raises AttributeError for another client
    return partial(_send, client)


async def _open_and_send(client: AsyncClient, **kwargs: Any) -> Any:
    return await sender(await client.open())(**kwargs)


def _send(client: Any, *, stream: bool = False, single: bool = False, **kwargs: Any) -> Any:
    method = client.converse_stream if stream else client.converse
    if single:
        client.meta.events.register_first(_RETRIES, _raise_before_retry, unique_id="ferroscope-single")
    # Registering the same id twice has no effect.
    for event, receive in _EVENTS.items():
        client.meta.events.register(event, receive, unique_id=event)
    received: list[Any] = []
    with _capturing_response(received, client if single else None):
        answer = method(**_drop_unknown_members(client, kwargs))
    if inspect.isawaitable(answer):
        return _asend(answer, received, stream, kwargs["modelId"], client if single else None)
    if stream:
        return _engine_stream(answer, received, kwargs["modelId"], Stream, ObjectStream)
    return _complete_response(answer, received)


async def _asend(sending: Any, received: list[Any], stream: bool, model: str, single: Any) -> Any:
    with _capturing_response(received, single):
        answer = await sending
    if stream:
        return _engine_stream(answer, received, model, AsyncStream, AsyncObjectStream)
    return _complete_response(answer, received)


def _drop_unknown_members(client: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments without what the installed SDK does not know of the model's content.

    A stream returns unknown blocks and members, but the SDK raises ParamValidationError for them in a request. Those of
    the user are kept, and raise that error.
    """
    shape = client.meta.service_model.operation_model("Converse").input_shape
    block_shape = shape.members["messages"].member.members["content"].member
    messages = [
        {**one, "content": [known for block in one["content"] if (known := _known_members(block_shape, block))]}
        if one.get("role") == "assistant"
        else one
        for one in kwargs["messages"]
    ]
    return {**kwargs, "messages": messages}


def _known_members(shape: Any, value: Any) -> Any:
    """Return a value without the members that its shape does not have; JSON of any shape is kept."""
    if shape.type_name == "list" and isinstance(value, list):
        return [_known_members(shape.member, one) for one in value]
    if shape.type_name != "structure" or getattr(shape, "is_document_type", False) or not isinstance(value, dict):
        return value
    members = shape.members
    return {name: _known_members(members[name], one) for name, one in value.items() if name in members}


@contextmanager
def _capturing_response(received: list[Any], single: Any) -> Iterator[None]:
    """Capture the HTTP response of a request below the SDK, and complete its errors."""
    token, single_token = _received.set(received), _single_attempt_client.set(single)
    try:
        with completed_errors():
            yield
    finally:
        _received.reset(token)
        _single_attempt_client.reset(single_token)


def _raise_before_retry(operation: Any, response: Any, caught_exception: Any, **_: Any) -> None:
    """Raise the error of a request immediately, before the SDK retries it."""
    client = _single_attempt_client.get()
    if client is None:
        return
    if caught_exception is not None:
        raise caught_exception
    http_response, parsed = response
    if http_response.status_code >= 300:
        # https://boto3.amazonaws.com/v1/documentation/api/latest/guide/error-handling.html
        raise client.exceptions.from_code(parsed.get("Error", {}).get("Code"))(parsed, operation.name)


def _receive_response(http_response: Any, **_: Any) -> None:
    received = _received.get()
    if received is not None and http_response.status_code == 200:
        received.append(http_response)


def _receive_body(response_dict: Any, **_: Any) -> None:
    received = _received.get()
    if received is not None and isinstance(body := response_dict.get("body"), bytes):
        received[:] = [body]
        if response_dict["status_code"] == 200 and not body.lstrip().startswith(b"{"):
            # The SDK's parser fails on JSON that is not an object.
            response_dict["body"] = b"{}"


_EVENTS: Final[dict[str, Callable[..., None]]] = {
    "after-call.bedrock-runtime.ConverseStream": _receive_response,
    "before-parse.bedrock-runtime.Converse": _receive_body,
}


def _complete_response(answer: Any, received: list[Any]) -> Any:
    """Return the response, or the text of the body if it is not a response of the API."""
    if not received:  # a mock, or a botocore version without the event
        return answer
    (body,) = received
    if "output" not in answer:
        return body.decode("utf-8", "replace")
    # The SDK drops token counts that it does not know.
    if "usage" in answer and isinstance(usage := from_json(body).get("usage"), dict):
        answer["usage"] = usage
    return answer


# ---- streams


def _engine_stream(answer: Any, received: list[Any], model: str, raw: type[ObjectStream], wrapped: Any) -> Any:
    """Return the stream for the engine; a stream that the program wrapped is read as objects."""
    sdk_stream, head = answer["stream"], Head(model, answer["ResponseMetadata"])
    if not received or type(sdk_stream).__module__ not in _STREAMS:
        return wrapped(sdk_stream, head=head, errors=_errors_of_reads)
    response = received[0]
    body = RawResponse(
        response,
        response.raw,
        request=response.url,
        read=partial(_read_async if raw is AsyncStream else _read, response.raw),
        errors=network_errors,
    )
    return raw(sdk_stream, body, close=sdk_stream.close, head=head, errors=_errors_of_reads)


def _read(raw: Any) -> Iterator[bytes]:
    yield from raw.stream(_READ_SIZE)


def _read_async(raw: Any) -> Any:
    """Return the body of a response of aiohttp, or of httpx, which aiobotocore 3 may use."""
    content = getattr(raw, "content", None) if hasattr(raw, "connection") else None
    return raw.aiter_raw() if content is None else content.iter_any()


@contextmanager
def _errors_of_reads() -> Iterator[None]:
    """Convert the exceptions of a stream that is read as objects."""
    with network_errors(), stream_errors():
        yield
