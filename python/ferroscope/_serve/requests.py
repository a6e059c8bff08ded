"""The body of a request to the OpenAI-compatible endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from .._dialects.openai_chat.messages import parse_messages
from ..core.base.message_param import BaseMessageParam

if TYPE_CHECKING:
    from starlette.requests import Request

# Images and audio are in the body. Providers refuse larger ones.
_MAX_BODY: Final = 64 * 1024 * 1024
_PARAMETERS: Final = ("temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty", "seed", "stop")
_UNSUPPORTED: Final = ("tools", "functions", "response_format", "audio", "logprobs", "web_search_options")


class RequestError(ValueError):
    """The body of a request is not valid.

    Attributes:
        param: The member at fault.
        status: The HTTP status of the response.
    """

    def __init__(self, message: str, param: str | None = None, *, status: int = 400) -> None:
        super().__init__(message)
        self.param = param
        self.status = status


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for a chat completion."""

    model: str
    messages: list[BaseMessageParam]
    parameters: dict[str, Any]  # Any: numbers, texts, lists
    is_streamed: bool
    include_usage: bool


async def read_body(request: Request) -> bytes:
    """Return the body of a request.

    Raises:
        RequestError: It is too large.
        ClientDisconnect: The client left.
    """
    error = RequestError(f"the body is larger than {_MAX_BODY} bytes", status=413)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > _MAX_BODY:
        raise error
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise error
    return bytes(body)


def read_messages(found: Any) -> list[BaseMessageParam]:  # Any: JSON
    """Return the messages of a request.

    Raises:
        RequestError: They are not messages in OpenAI's form.
    """
    if not isinstance(found, list) or not found or not all(isinstance(message, dict) for message in found):
        raise RequestError("'messages' has to be a list of messages", "messages")
    # A `developer` message is the new name of a `system` message.
    renamed = [{**m, "role": "system"} if m.get("role") == "developer" else m for m in found]
    for number, message in enumerate(renamed):
        if message.get("role") not in ("system", "user", "assistant", "tool"):
            raise RequestError(f"message {number} has an unknown role", "messages")
    try:
        return parse_messages(renamed)
    except Exception:
        raise RequestError("'messages' are not in the form of chat completions", "messages") from None


def read_request(body: bytes, *, takes_parameters: bool) -> ChatRequest:
    """Return the request in a body.

    Raises:
        RequestError: It is not valid, or needs what this service cannot do.
    """
    try:
        fields = orjson.loads(body)
    except ValueError:
        raise RequestError("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise RequestError("the body is not a JSON object")
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise RequestError("'model' has to be a text", "model")
    if fields.get("n") not in (None, 1):
        raise RequestError("'n' has to be 1", "n")
    for name in _UNSUPPORTED:
        if fields.get(name) and fields[name] != {"type": "text"}:
            raise RequestError(f"this service does not support {name!r}", name)
    parameters = {name: fields[name] for name in _PARAMETERS if fields.get(name) is not None}
    if fields.get("max_completion_tokens") is not None:
        parameters["max_tokens"] = fields["max_completion_tokens"]
    options = fields.get("stream_options") or {}
    return ChatRequest(
        model,
        read_messages(fields.get("messages")),
        parameters if takes_parameters else {},
        fields.get("stream") is True,
        isinstance(options, dict) and options.get("include_usage") is True,
    )
