"""Spans of calls with the attributes that Logfire shows.

Logfire is an SDK of OpenTelemetry, so its tracer makes the spans. The attributes `logfire.*` are documented at
https://logfire.pydantic.dev/docs/how-to-guides/alternative-clients/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..._engine.extras import require_package

require_package("logfire", extra="logfire", user="ferroscope.integrations.logfire")

from ..._telemetry import recording  # noqa: E402  # after the check that Logfire is installed
from ..._telemetry.content import answer_json, dump, tool_calls  # noqa: E402
from ..._telemetry.names import INPUT_TOKENS, OUTPUT_TOKENS  # noqa: E402
from ...core.base._responses.secrets import redact_secrets  # noqa: E402

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

_P = ParamSpec("_P")
_R = TypeVar("_R")

_SCOPE = "logfire.mirascope"
# Parameters that may hold keys in any form. Others are redacted by their names.
_LEFT_OUT = frozenset({"api_key", "extra_headers", "extra_query", "headers", "http_options"})


def with_logfire() -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that records a Logfire span for each request of a call, with the name of the function.

    The span has the messages, the answer, the tokens and the cost, and the tags of `@metadata`. The environment
    variable `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=false` leaves out prompts and answers.

    Example:
        ```python
        import logfire

        from ferroscope.core import anthropic
        from ferroscope.integrations.logfire import with_logfire

        logfire.configure()


        @with_logfire()
        @anthropic.call("claude-haiku-4-5")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """
    return recording.recorded(
        recording.span_starter(scope=_SCOPE),
        lambda: recording.captures_content(default=True),
        _attributes,
    )


def _without_keys(parameters: Mapping[str, Any]) -> dict[str, Any]:  # Any: parameters of any provider
    shown = {name: value for name, value in parameters.items() if name not in _LEFT_OUT}
    redacted: dict[str, Any] = redact_secrets(shown)
    return redacted


def _attributes(finished: recording.Finished) -> dict[str, AttributeValue]:
    call, response = finished.call, finished.response
    output: dict[str, Any] = {}  # Any: JSON
    if (cost := finished.cost) is not None:
        output["cost"] = cost
    for name, attribute in (("input_tokens", INPUT_TOKENS), ("output_tokens", OUTPUT_TOKENS)):
        if attribute in finished.usage:
            output[name] = finished.usage[attribute]
    data: dict[str, Any] = {"call_params": _without_keys(call.plan.call_params)}
    if finished.captures_content:
        data |= {
            "call_kwargs": _without_keys(call.kwargs),
            "template_variables": call.fn_args,
            "messages": call.messages,
        }
        if response is not None:
            data["response_data"] = response.response
            if response.content:
                output["content"] = response.content
            if calls := tool_calls(response):
                output["tool_calls"] = [{"function": {"name": part.name, "arguments": part.args}} for part in calls]
            if call.extraction is not None:
                name = getattr(call.extraction.target, "__name__", str(call.extraction.target))
                output["response_model"] = {"name": name, "arguments": answer_json(call, response)}
    data["output"] = output
    found: dict[str, AttributeValue] = {name: dump(value) for name, value in data.items()}
    found |= {
        "async": call.plan.prompt.is_async,
        "provider": call.provider.name,
        "prompt_template": call.plan.prompt.template or "",
        "logfire.span_type": "span",
        "logfire.json_schema": dump(
            {"type": "object", "properties": {name: {"type": _json_type(value)} for name, value in data.items()}}
        ),
    }
    if finished.name:
        found |= {"logfire.msg": finished.name, "logfire.msg_template": finished.name}
    if response is not None and response.model:
        found["model"] = response.model
    if tags := call.metadata.get("tags"):
        found["logfire.tags"] = sorted(tags)
    return found


def _json_type(value: object) -> str:
    return "array" if isinstance(value, list) else "object"
