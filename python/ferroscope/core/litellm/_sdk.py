"""The adapter for LiteLLM: its functions, streams and exceptions under the engine's names.

https://docs.litellm.ai
https://docs.litellm.ai/docs/exception_mapping
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any, NoReturn

import httpx
import litellm
import openai
import orjson
from litellm import exceptions

from ..._dialects.sdk_model import read_json
from ..._engine.adapters import AsyncObjectStream, ObjectStream
from ...errors import ClientError, MissingApiKeyError
from ._no_client import NoClient

# Any: LiteLLM objects are passed through.

_NO_STREAM = "the response is one JSON object and not a stream"
# An error in the body of a successful response has no status of its own.
_OK = 200


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
        body = read_json(data)
        response = litellm.ModelResponse(**body)
        # LiteLLM replaces an absent finish reason with "stop", also in a response that was cut off.
        for choice, sent in zip(response.choices, body.get("choices") or (), strict=False):
            if not sent.get("finish_reason"):
                vars(choice)["finish_reason"] = None
        return response

    @staticmethod
    def dump_event(event: Any) -> str:
        # `model_dump_json` takes about ten times as long as serializing the fields.
        return orjson.dumps(event, default=_fields).decode()


def _call(**kwargs: Any) -> Any:
    try:
        answer = litellm.completion(**kwargs)
    except openai.APIError as error:
        _raise_with_text(error)
    return _stream(answer, _events, ObjectStream, "close")


async def _acall(**kwargs: Any) -> Any:
    try:
        answer = await litellm.acompletion(**kwargs)
    except openai.APIError as error:
        _raise_with_text(error)
    return _stream(answer, _aevents, AsyncObjectStream, "aclose", "close")


def _raise_with_text(error: openai.APIError) -> NoReturn:
    """Raise an error of LiteLLM, with a text if LiteLLM dropped the provider's text.

    Raises:
        MissingApiKeyError: The SDK below LiteLLM found no key, which LiteLLM reports as a failure of the server.
    """
    cause = error.__context__
    while cause is not None:
        if type(cause) is openai.OpenAIError:
            raise MissingApiKeyError(str(cause)) from error
        cause = cause.__context__
    if error.message.endswith(("Exception - ", "Exception - Error in response object")):
        error.message += ": a successful response reported an error, whose text LiteLLM dropped"
    raise error


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a LiteLLM object that are not None."""
    extra = getattr(value, "__pydantic_extra__", None) or {}
    return {name: field for name, field in {**vars(value), **extra}.items() if field is not None}


# ---- streams


def _stream(answer: Any, events: Callable[[Any, Any], Any], kind: type[ObjectStream], *close: str) -> Any:
    """Return the stream for the engine; a response is returned as it is.

    Args:
        answer: LiteLLM's answer.
        events: Returns the events of LiteLLM's stream, of that and the response.
        kind: The class of the stream.
        close: The methods to close the connection, which LiteLLM's own may leave open.
    """
    if not isinstance(answer, litellm.CustomStreamWrapper):
        return answer

    def close_source() -> Any:
        methods = (getattr(answer.completion_stream, name, None) for name in close)
        return next(filter(callable, methods), lambda: None)()

    response = getattr(answer.completion_stream, "response", None)
    return kind(events(answer, response), response, close=close_source)


def _events(sdk_stream: Any, response: Any) -> Iterator[Any]:
    """Yield LiteLLM's chunks, and an error of the provider as the event it came in."""
    if _is_whole(response):
        # An error, which ends the stream here.
        yield read_json(response.read())
        raise APIConnectionError(_NO_STREAM)
    try:
        for number, chunk in enumerate(sdk_stream):
            if number == 0:
                _check_first(sdk_stream, chunk)
            yield chunk
    except openai.APIError as error:
        yield _reported(error)


async def _aevents(sdk_stream: Any, response: Any) -> AsyncGenerator[Any, None]:
    if _is_whole(response):
        yield read_json(await response.aread())
        raise APIConnectionError(_NO_STREAM)
    is_first = True
    try:
        async for chunk in sdk_stream:
            if is_first:
                _check_first(sdk_stream, chunk)
                is_first = False
            yield chunk
    except openai.APIError as error:
        yield _reported(error)


def _is_whole(response: Any) -> bool:
    """Return whether the body is one JSON object in place of a stream, which LiteLLM would skip."""
    return "application/json" in getattr(response, "headers", {}).get("content-type", "")


def _check_first(sdk_stream: Any, chunk: Any) -> None:
    """Check that the first chunk came from the provider.

    Raises:
        APIConnectionError: The provider sent no event. LiteLLM then makes a chunk with the finish reason "stop".
    """
    finished = any(choice.finish_reason for choice in chunk.choices)
    if finished and getattr(sdk_stream, "received_finish_reason", "") is None:
        raise APIConnectionError("the response ended before its first event")


def _reported(error: Exception) -> dict[str, object]:
    """Return the event with the error that the provider reported inside the stream; raise the error if it sent none."""
    # OpenAI's SDK uses exactly this class for such an error, and LiteLLM raises its own error in its place.
    bodies = (cause.body for cause in _causes(error) if type(cause) is openai.APIError)
    for body in bodies:
        if body is not None:
            return {"error": body}
    raise _origin(error) from error


def _origin(error: Exception) -> Exception:
    """Return the error of the connection below LiteLLM's error, or else the error that its fallback error wraps."""
    network = next((cause for cause in _causes(error) if isinstance(cause, httpx.TransportError)), None)
    wrapped: Exception | None = (
        error.original_exception if isinstance(error, exceptions.MidStreamFallbackError) else None
    )
    return network or wrapped or error


def _causes(error: BaseException | None) -> Iterator[Any]:
    """Yield an error and the errors that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


# ---- exceptions, with the parameters that the engine uses


class APIError(exceptions.APIError):
    """An error that the provider reports in a body with a status of success."""

    def __init__(self, message: str, *, request: object = None, body: object = None) -> None:
        super().__init__(_OK, message, "", "", body=body)
        self.request = request  # type: ignore[assignment]  # the request that was sent, of the HTTP client's class


class APIConnectionError(exceptions.APIConnectionError):
    """A connection that broke before the response ended."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(message, "", "")
        self.request = request  # type: ignore[assignment]  # the request that was sent, of the HTTP client's class


class APITimeoutError(exceptions.Timeout):
    """A response that did not arrive in time."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(message, "", "")
        self.request = request  # type: ignore[assignment]  # the request that was sent, of the HTTP client's class
