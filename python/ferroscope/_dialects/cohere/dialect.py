"""Requests and responses of Cohere's v2 chat.

https://docs.cohere.com/v2/reference/chat
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..._engine.dialect import ReportedError, Request
from ...core.base._messages.provider_data import Endpoint
from ..openai_chat.sdk import ChatSdk
from ..reported_error import find_error, missing_answer
from ..sdk_model import member
from .extraction import answer_text, render_extraction, render_json_mode
from .messages import WireMessage, render_messages
from .parameters import render_params, with_preamble

# Any: the SDK's own objects pass through.


@dataclass(frozen=True, slots=True)
class CohereChat:
    """The v2 chat format of Cohere.

    Attributes:
        sdk: The SDK that sends the requests.
    """

    name: ClassVar[str] = "cohere"
    sdk: ChatSdk

    def needs_fetch(self, messages: Iterable[WireMessage]) -> bool:
        return False  # the server itself reads image URLs

    def render_messages(self, messages: Iterable[WireMessage], destination: Endpoint) -> list[WireMessage]:
        return render_messages(messages, destination)

    def conversation(self, messages: list[WireMessage]) -> list[WireMessage]:
        return messages

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return render_params(params)

    def render_request(self, request: Request) -> dict[str, Any]:
        params = dict(request.params)
        messages = with_preamble(request.messages, params.pop("preamble", None))
        kwargs = {"model": request.model, "messages": messages, **params}
        if request.tools:
            own = [tool.wire_schema() for tool in request.tools]  # type: ignore[attr-defined]  # a FunctionTool
            kwargs["tools"] = [*kwargs.get("tools", ()), *own]
        if request.extraction is not None:
            render_extraction(kwargs, request.extraction)
        elif request.json_mode:
            render_json_mode(kwargs, None)
        if request.stream:
            kwargs["stream"] = True
        return kwargs

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        return self.sdk.method(client, asynchronous=asynchronous)

    def read_response(self, data: bytes) -> Any:
        return self.sdk.read_response(data)

    def reported_error(self, response: Any) -> ReportedError | None:
        if found := find_error(response):
            return found
        # The SDK accepts any JSON object; the `message` of an error is a text.
        message = member(response, "message")
        if isinstance(message, str) or (message is None and not member(response, "usage")):
            return missing_answer(response, "message")
        return None

    def may_force_tool(self, params: Mapping[str, Any]) -> bool:
        return not params.get("tools")  # the API can require a call of any tool, but not of a certain one

    def answer_text(self, response: Any, mode: Literal["tool", "json"]) -> str:
        return answer_text(response.response, mode)

    def estimate_usage(self, response: Any, input_tokens: int, output_tokens: int) -> dict[str, Any] | None:
        if response.usage is not None:
            return None
        return {"billed_units": {"input_tokens": input_tokens, "output_tokens": output_tokens}}

    def dump_event(self, event: Any) -> str:
        return self.sdk.dump_event(event)

    def blank_event(self, identifier: str, model: str) -> bytes:
        return b'{"type":"tool-call-end","index":0}'
