"""Requests and responses of the chat-completions format.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

import orjson

from ..._engine.dialect import ReportedError, Request
from ...core.base._messages.provider_data import Endpoint
from ...core.base.quirks import Quirks
from ..reported_error import find_error, missing_answer
from ..sdk_model import member
from .extraction import answer_text, render_extraction, render_json_mode, wire_schema
from .message_parts import MessageRules
from .messages import WireMessage, needs_fetch, render_messages
from .sdk import OPENAI_SDK, ChatSdk
from .turns import arrange_turns

# Any: the SDK's own objects pass through.

_STREAM_OPTIONS: Final = "stream_options"


@dataclass(frozen=True, slots=True)
class OpenAIChat:
    """The chat-completions format of one server.

    Attributes:
        label: The provider's name in error messages.
        quirks: The server's differences from OpenAI's format.
        sdk: The SDK that sends the requests.
        rules: The rules for messages.
    """

    name: ClassVar[str] = "openai_chat"
    label: str = "OpenAI"
    quirks: Quirks = field(default_factory=Quirks)
    sdk: ChatSdk = OPENAI_SDK
    rules: MessageRules = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", MessageRules(self.label, self.quirks))

    def needs_fetch(self, messages: Iterable[WireMessage]) -> bool:
        return needs_fetch(messages)

    def render_messages(self, messages: Iterable[WireMessage], destination: Endpoint) -> list[WireMessage]:
        return render_messages(messages, self.rules, destination)

    def conversation(self, messages: list[WireMessage]) -> list[WireMessage]:
        return messages

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in params.items() if value is not None or name == _STREAM_OPTIONS}

    def render_request(self, request: Request) -> dict[str, Any]:
        messages = arrange_turns(request.messages, self.quirks)
        kwargs = {"model": request.model, "messages": messages, **request.params}
        if request.tools:
            kwargs["tools"] = [*kwargs.get("tools", ()), *map(wire_schema, request.tools)]
        if request.extraction is not None:
            render_extraction(kwargs, request.extraction, self.quirks)
        elif request.json_mode:
            render_json_mode(kwargs, None)
        options = kwargs.get(_STREAM_OPTIONS, {})
        if not isinstance(options, Mapping):
            # None, or the SDK's marker for an omitted parameter. Some servers refuse the options, so omit them.
            del kwargs[_STREAM_OPTIONS]
        if request.stream:
            kwargs["stream"] = True
            if self.quirks.stream_options and isinstance(options, Mapping):
                kwargs[_STREAM_OPTIONS] = {"include_usage": True, **options}
        return self.sdk.arguments(kwargs)

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        return self.sdk.method(client, asynchronous=asynchronous)

    def read_response(self, data: bytes) -> Any:
        return self.sdk.read_response(data)

    def reported_error(self, response: Any) -> ReportedError | None:
        if found := find_error(response):
            return found
        choices = member(response, "choices")
        if choices:
            return next(filter(None, map(find_error, choices)), None)
        # An empty list is an answer without text. Without the member, a usage object marks a response.
        if choices is None and not member(response, "usage"):
            return missing_answer(response, "choices")
        return None

    def may_force_tool(self, params: Mapping[str, Any]) -> bool:
        return True

    def answer_text(self, response: Any, mode: Literal["tool", "json"]) -> str:
        return answer_text(response.response, mode)

    def estimate_usage(self, response: Any, input_tokens: int, output_tokens: int) -> dict[str, Any] | None:
        return (
            None if response.usage is not None else {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
        )

    def dump_event(self, event: Any) -> str:
        return self.sdk.dump_event(event)

    def blank_event(self, identifier: str, model: str) -> bytes:
        chunk = {
            "id": identifier,
            "object": "chat.completion.chunk",
            "created": 0,
            "model": model,
            "choices": [],
        }
        return orjson.dumps(chunk)
