"""Spans of the calls of one function."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..._telemetry import recording
from ._utils import TRACER

_P = ParamSpec("_P")
_R = TypeVar("_R")


def with_otel(*, capture_content: bool | None = None) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that records a span for each request of a call, with the name of the function.

    The span has the attributes of OpenTelemetry's conventions for generative AI, and metrics are recorded too. Other
    calls that the function makes get spans with names of the conventions (`chat gpt-4o-mini`).

    Args:
        capture_content: Whether prompts, answers and tool arguments are recorded. By default the environment variable
            `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` decides, and they are not if it is not set.

    Example:
        ```python
        from ferroscope.core import anthropic
        from ferroscope.integrations.otel import configure, with_otel

        configure()


        @with_otel()
        @anthropic.call("claude-haiku-4-5")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """
    return recording.recorded(
        recording.span_starter(scope=TRACER),
        recording.content_switch(capture_content),
        _is_async,
    )


def _is_async(finished: recording.Finished) -> dict[str, bool]:
    return {"async": finished.call.plan.prompt.is_async}
