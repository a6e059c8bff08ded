"""Requests and responses of the Converse format.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..._engine.dialect import ReportedError, Request
from ..._lazy import load_name
from ...core.base._messages.provider_data import Endpoint
from ..reported_error import find_error
from .blobs import dump_event, read_response
from .extraction import answer_text, may_force_tool, render_extraction, render_json_mode
from .messages import WireMessage, needs_fetch, render_messages, split_system
from .parameters import add_tools, add_tools_of_history, flatten_config, join_system, nest_config, render_params

# Any: the SDK's own objects pass through.


@dataclass(frozen=True, slots=True)
class BedrockConverse:
    """The Converse format.

    Attributes:
        sender: The function that returns a client's method that sends requests, as `"module:name"`.
    """

    sender: str

    name: ClassVar[str] = "bedrock_converse"

    def needs_fetch(self, messages: Iterable[object]) -> bool:
        return needs_fetch(messages)

    def render_messages(self, messages: Iterable[Any], destination: Endpoint) -> list[WireMessage]:
        return render_messages(messages, destination)

    def conversation(self, messages: list[WireMessage]) -> list[WireMessage]:
        return split_system(messages)[1]

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return flatten_config(render_params(params))

    def render_request(self, request: Request) -> dict[str, Any]:
        system, messages = split_system(request.messages)
        kwargs: dict[str, Any] = {"modelId": request.model, "messages": messages, **nest_config(request.params)}
        if system or "system" in kwargs:
            kwargs["system"] = join_system(kwargs.get("system"), system)
        add_tools(kwargs, [tool.wire_schema() for tool in request.tools])  # type: ignore[attr-defined]  # ConverseTool
        if request.extraction is not None:
            render_extraction(kwargs, request.extraction)
        elif request.json_mode:
            render_json_mode(kwargs, None)
        add_tools_of_history(kwargs, messages)
        if request.stream:
            kwargs["stream"] = True
        return kwargs

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        return load_name(self.sender)(client)  # type: ignore[no-any-return]

    def read_response(self, data: bytes) -> Any:
        return read_response(data)

    def reported_error(self, response: Any) -> ReportedError | None:
        return find_error(response)

    def may_force_tool(self, params: Mapping[str, Any]) -> bool:
        return may_force_tool(params)

    def answer_text(self, response: Any, mode: Literal["tool", "json"]) -> str:
        return answer_text(response.response, mode)

    def estimate_usage(self, response: Any, input_tokens: int, output_tokens: int) -> dict[str, Any] | None:
        # All counts arrive in the last event.
        return None if response.usage else {"inputTokens": input_tokens, "outputTokens": output_tokens}

    def dump_event(self, event: Any) -> str:
        return dump_event(event)

    def blank_event(self, identifier: str, model: str) -> bytes:
        return b'{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":""}}}'
