"""Calls as generations of Langfuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from ..._engine.extras import require_package

require_package("langfuse", extra="langfuse", user="ferroscope.integrations.langfuse")

from langfuse import get_client  # noqa: E402  # after the check that it is installed
from opentelemetry import context as otel_context  # noqa: E402
from opentelemetry import trace  # noqa: E402

from ..._telemetry import names, recording  # noqa: E402
from ..._telemetry.content import answer_json, plain, tool_calls  # noqa: E402
from ..._telemetry.request import request_parameters  # noqa: E402

if TYPE_CHECKING:
    from langfuse import LangfuseGeneration
    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Langfuse adds the counts up, so they must not overlap.
_PARTS = (
    (names.INPUT_TOKENS, "input", (names.CACHE_READ_TOKENS, names.CACHE_WRITE_TOKENS)),
    (names.CACHE_READ_TOKENS, "input_cached_tokens", ()),
    (names.CACHE_WRITE_TOKENS, "input_cache_creation", ()),
    (names.OUTPUT_TOKENS, "output", (names.REASONING_TOKENS,)),
    (names.REASONING_TOKENS, "output_reasoning_tokens", ()),
)

_GENERATIONS: WeakKeyDictionary[Span, LangfuseGeneration] = WeakKeyDictionary()


def with_langfuse() -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that records a Langfuse generation for each request of a call.

    Its name is the function's name with the model's. It has the messages, the answer, the tokens, the exact cost and
    the time of the first chunk; the tags of `@metadata` are on the trace. Langfuse's client is the one that the program
    has made, or one that it makes from its environment variables. The environment variable
    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=false` leaves out prompts and answers.

    Example:
        ```python
        from ferroscope.core import anthropic
        from ferroscope.integrations.langfuse import with_langfuse


        @with_langfuse()
        @anthropic.call("claude-haiku-4-5")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """
    return recording.recorded(
        _start_generation,
        lambda: recording.captures_content(default=True),
        _update_generation,
    )


def _start_generation(name: str, context: Context, attributes: dict[str, AttributeValue]) -> Span:
    client = get_client()
    model = str(attributes[names.REQUEST_MODEL])
    token = otel_context.attach(context)
    try:
        # Made current only to find its span; nothing is attached after this block.
        with client.start_as_current_observation(
            name=name, as_type="generation", model=model, end_on_exit=False
        ) as generation:
            span = trace.get_current_span()
    finally:
        otel_context.detach(token)
    recording.watch_provider(trace.get_tracer_provider())
    if span.is_recording():
        span.set_attributes(attributes)
        _GENERATIONS[span] = generation
    return span


def _update_generation(finished: recording.Finished) -> dict[str, AttributeValue]:
    generation = _GENERATIONS.pop(finished.span, None)
    if generation is None:
        return {}
    call, response, usage = finished.call, finished.response, finished.usage
    content: dict[str, Any] = {}  # Any: JSON
    if finished.captures_content:
        content["input"] = [plain(message) for message in call.messages]
        if response is not None:
            content |= {"output": _output(finished), "metadata": plain(response.response)}
    model = (response.model if response is not None else None) or call.plan.model
    first = finished.first_chunk_time
    error = finished.error
    generation.update(
        name=f"{finished.name} with {model}" if finished.name else None,
        model=model,
        model_parameters={
            name.rpartition(".")[2]: value if isinstance(value, str | int | float) else list(cast("list[str]", value))
            for name, value in request_parameters(call).items()
        },
        usage_details=_usage_details(usage) or None,
        cost_details={"total": finished.cost} if finished.cost is not None else None,
        completion_start_time=datetime.fromtimestamp(first / 1e9, UTC) if first is not None else None,
        level="ERROR" if error is not None else None,
        status_message=None if error is None else str(error) if finished.captures_content else type(error).__qualname__,
        **content,
    )
    tags = call.metadata.get("tags")
    return {"langfuse.trace.tags": sorted(tags)} if tags else {}


def _usage_details(usage: dict[str, float]) -> dict[str, int]:
    details: dict[str, int] = {}
    for attribute, name, parts in _PARTS:
        if attribute in usage:
            details[name] = max(int(usage[attribute] - sum(usage.get(part, 0) for part in parts)), 0)
    return details


def _output(finished: recording.Finished) -> object:
    call, response = finished.call, finished.response
    assert response is not None
    if call.extraction is not None:
        return answer_json(call, response)
    calls = [{"name": part.name, "arguments": part.args} for part in tool_calls(response)]
    return {"content": response.content, "tool_calls": calls} if calls else response.content
