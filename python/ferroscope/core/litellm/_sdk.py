"""The adapter for LiteLLM: its functions under the engine's names.

https://docs.litellm.ai
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import litellm
import orjson
from openai import APIError

from ..._dialects.sdk_model import read_json
from ...errors import ClientError
from ._no_client import NoClient
from ._streams import AsyncStream, Stream

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
    except APIError as error:
        _raise_with_text(error)
    return Stream(answer) if isinstance(answer, litellm.CustomStreamWrapper) else answer


async def _acall(**kwargs: Any) -> Any:
    try:
        answer = await litellm.acompletion(**kwargs)
    except APIError as error:
        _raise_with_text(error)
    return AsyncStream(answer) if isinstance(answer, litellm.CustomStreamWrapper) else answer


def _raise_with_text(error: APIError) -> NoReturn:
    """Raise an error of LiteLLM, with a text if LiteLLM dropped the provider's text."""
    if error.message.endswith(("Exception - ", "Exception - Error in response object")):
        error.message += ": a successful response reported an error, whose text LiteLLM dropped"
    raise error


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a LiteLLM object that are not None."""
    extra = getattr(value, "__pydantic_extra__", None) or {}
    return {name: field for name, field in {**vars(value), **extra}.items() if field is not None}
