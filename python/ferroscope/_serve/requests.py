"""The body of a request to the OpenAI-compatible endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from .._dialects.openai_chat.messages import parse_messages
from ..core.base.message_param import BaseMessageParam

_PARAMETERS: Final = ("temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty", "seed", "stop")
_UNSUPPORTED: Final = ("tools", "functions", "response_format", "audio", "logprobs", "web_search_options")


class RequestError(ValueError):
    """The body of a request is not valid.

    Attributes:
        param: The member at fault.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for a chat completion."""

    model: str
    messages: list[BaseMessageParam]
    parameters: dict[str, Any]  # Any: numbers, texts, lists
    is_streamed: bool
    include_usage: bool


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
