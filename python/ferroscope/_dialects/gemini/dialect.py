"""Requests and responses in Gemini's format.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import orjson

from ..._engine.dialect import ReportedError, Request
from ..._lazy import load_name
from ...core.base._messages.provider_data import Endpoint
from ..reported_error import find_error, missing_answer
from ..sdk_model import member
from . import messages as wire
from . import parameters, sdk_objects
from .extraction import answer_text, may_force_tool, render_extraction, render_json_mode
from .messages import WireMessage
from .parts import MessageRules

# Any: the SDK's own objects pass through.


@dataclass(frozen=True, slots=True)
class GeminiContents:
    """Gemini's format for one server.

    Attributes:
        rules: The rules of the server for contents.
        sender: The function that returns the method of an SDK's client, as `"module:name"`.
    """

    name: ClassVar[str] = "gemini"
    rules: MessageRules
    sender: str

    def needs_fetch(self, messages: Iterable[Any]) -> bool:
        return wire.needs_fetch(messages, self.rules)

    def render_messages(self, messages: Iterable[Any], destination: Endpoint) -> list[WireMessage]:
        return wire.render_messages(messages, self.rules, destination)

    def conversation(self, messages: list[WireMessage]) -> list[WireMessage]:
        return wire.split_system(messages)[1]

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        # `render_request` moves them into the configuration, because a dynamic config may still replace single
        # parameters.
        return parameters.select_params(params)

    def render_request(self, request: Request) -> dict[str, Any]:
        system, contents = wire.split_system(request.messages)
        kwargs = {"model": request.model, "contents": contents, **parameters.render_params(request.params)}
        config: dict[str, Any] = kwargs.setdefault("config", {})
        if system:
            config["system_instruction"] = wire.join_system(config.get("system_instruction"), system)
        parameters.add_tools(config, [tool.wire_schema() for tool in request.tools])  # type: ignore[attr-defined]  # a tool of this format
        if request.extraction is not None:
            render_extraction(kwargs, config, request.extraction)
        elif request.json_mode:
            render_json_mode(kwargs, config, None)
        if request.stream:
            kwargs["stream"] = True
        return kwargs

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        return load_name(self.sender)(client, asynchronous=asynchronous)  # type: ignore[no-any-return]

    def read_response(self, data: bytes) -> Any:
        return sdk_objects.read_response(data)

    def reported_error(self, response: Any) -> ReportedError | None:
        if found := find_error(response):
            return found
        # The response to a blocked prompt has no candidates, but a reason.
        names = ("candidates", "prompt_feedback", "promptFeedback", "usage_metadata", "usageMetadata")
        if all(member(response, name) is None for name in names):
            return missing_answer(response, "candidates")
        return None

    def may_force_tool(self, params: Mapping[str, Any]) -> bool:
        return may_force_tool(params)

    def answer_text(self, response: Any, mode: Literal["tool", "json"]) -> str:
        return answer_text(response.response, mode)

    def estimate_usage(self, response: Any, input_tokens: int, output_tokens: int) -> dict[str, Any] | None:
        if response.finish_reasons:
            return None  # the final counts came with the finish reason
        # Each event reports totals, and the output total grows.
        usage = response.usage
        reported_counts = (
            usage.model_dump(by_alias=True, exclude_none=True, mode="json", warnings=False) if usage else {}
        )
        output = max(
            output_tokens,
            (reported_counts.get("candidatesTokenCount") or 0) + (reported_counts.get("thoughtsTokenCount") or 0),
        )
        thoughts = min(reported_counts.get("thoughtsTokenCount") or 0, output)
        prompt = max(input_tokens, reported_counts.get("promptTokenCount") or 0)
        return {**reported_counts, "promptTokenCount": prompt, "candidatesTokenCount": output - thoughts}

    def dump_event(self, event: Any) -> str:
        return sdk_objects.dump_event(event)

    def blank_event(self, identifier: str, model: str) -> bytes:
        return orjson.dumps({"responseId": identifier, "modelVersion": model})
