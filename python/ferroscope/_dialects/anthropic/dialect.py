"""Requests and responses of the Messages format.

https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from ..._engine.dialect import ReportedError, Request
from ..._engine.error_facts import RetryRules
from ...core.base._messages.provider_data import Endpoint
from ..reported_error import find_error, missing_answer
from ..sdk_model import dump_event, member, read_model
from .extraction import answer_text, may_force_tool, render_extraction, render_json_mode
from .messages import render_messages
from .parameters import route_parameters
from .prefill import prefilled
from .system import WireMessage, join_system, split_system

# Any: the SDK's own objects pass through.

# The default of `max_tokens`, which only this API requires.
MAX_TOKENS: Final = 1024
# https://docs.claude.com/en/api/rate-limits#response-headers
RETRY_RULES: Final = RetryRules(
    limit_headers=tuple(
        (f"anthropic-ratelimit-{kind}-remaining", f"anthropic-ratelimit-{kind}-reset")
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    )
)
# Common parameters that this API does not have.
_UNKNOWN: Final = frozenset({"frequency_penalty", "presence_penalty", "seed"})


@dataclass(frozen=True, slots=True)
class AnthropicMessages:
    """The Messages format."""

    name: ClassVar[str] = "anthropic"

    def needs_fetch(self, messages: Iterable[WireMessage]) -> bool:
        return False  # the server itself reads URLs

    def render_messages(self, messages: Iterable[WireMessage], destination: Endpoint) -> list[WireMessage]:
        return render_messages(messages, destination)

    def conversation(self, messages: list[WireMessage]) -> list[WireMessage]:
        return split_system(messages)[1]

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        rendered = {n: value for n, value in params.items() if value is not None and n not in _UNKNOWN}
        if (stop := rendered.pop("stop", None)) is not None:
            rendered["stop_sequences"] = [stop] if isinstance(stop, str) else stop
        return rendered

    def render_request(self, request: Request) -> dict[str, Any]:
        system, messages = split_system(request.messages)
        kwargs = {"model": request.model, "messages": messages, "max_tokens": MAX_TOKENS, **request.params}
        if system:
            given = kwargs.get("system")
            kwargs["system"] = join_system([given, *system] if given else system)
        if request.tools:
            own = [tool.wire_schema() for tool in request.tools]  # type: ignore[attr-defined]  # AnthropicTool
            # Tools in the parameters run on the server: web search, code execution.
            kwargs["tools"] = [*kwargs.get("tools", ()), *own]
        if request.extraction is not None:
            render_extraction(kwargs, request.extraction)
        elif request.json_mode:
            render_json_mode(kwargs, None)
        if request.stream:
            kwargs["stream"] = True
        return kwargs

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        create = client.messages.create

        def send(**kwargs: Any) -> Any:
            return create(**route_parameters(client, kwargs))

        return send

    def read_response(self, data: bytes) -> Any:
        from anthropic.types import Message

        return read_model(Message, data)

    def reported_error(self, response: Any) -> ReportedError | None:
        if found := find_error(response):
            return found
        if member(response, "content") is None and not member(response, "usage"):
            return missing_answer(response, "content")
        return None

    def may_force_tool(self, params: Mapping[str, Any]) -> bool:
        return may_force_tool(params)

    def answer_text(self, response: Any, mode: Literal["tool", "json"]) -> str:
        return answer_text(response.response, mode)

    def estimate_usage(self, response: Any, input_tokens: int, output_tokens: int) -> dict[str, Any] | None:
        if response.finish_reasons:
            return None  # the final counts came with the finish reason
        # The first event reports the input tokens. Its count of output tokens is only a start value, about one.
        reported_counts = response.usage.model_dump(exclude_none=True, warnings=False) if response.usage else {}
        return {
            "input_tokens": input_tokens,
            **reported_counts,
            "output_tokens": max(output_tokens, reported_counts.get("output_tokens", 0)),
        }

    def continuation(self, kwargs: Mapping[str, Any], text: str) -> dict[str, Any] | None:
        return prefilled(kwargs, text)

    def dump_event(self, event: Any) -> str:
        return dump_event(event)

    def blank_event(self, identifier: str, model: str) -> bytes:
        return b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}'
