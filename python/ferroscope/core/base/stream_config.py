"""How a stream is to be streamed."""

from __future__ import annotations

from typing import Literal, TypeAlias

from typing_extensions import TypedDict

Every: TypeAlias = Literal["delta", "change", "field"]


class Limits(TypedDict, total=False):
    """How much of a stream is accepted before it is called broken (`LimitExceededError`).

    The defaults are far beyond what providers send: they bound what a broken or hostile server can take.
    """

    event_bytes: int
    """Bytes of one event; 16 MiB."""
    response_bytes: int
    """Bytes of all events; 128 MiB."""
    tool_calls: int
    """Tool calls of one message; 1024."""
    choices: int
    """Choices of one response; 1024."""
    depth: int
    """Levels of nested JSON in an event; 200."""


class StreamConfig(TypedDict, total=False):
    """Turns streaming on and sets it up.

    - `partial_tools`: tools are also given while they are being written.
    - `every`: when a structured stream gives an instance: after every piece of text (`"delta"`, the default), only
      when it changed (`"change"`), or only when another of its fields is complete (`"field"`).
    - `limits`: how much is accepted before the stream is called broken.
    - `first_chunk_timeout`, `idle_timeout`, `total_timeout`: seconds from the request to the first chunk, from one
      chunk to the next, and from the request to the end. When one passes, the stream raises a
      `StreamInterruptedError` (an `APITimeoutError` of the SDK too) with all that was received as its `partial`.
    - `replay`: the stream can be iterated over again after it ended, without asking again. What was received is
      kept for that: up to so many bytes, or up to a usual limit if it is True.

    Example:
        ```python
        @llm.call("openai", "gpt-4o-mini", stream={"first_chunk_timeout": 10, "idle_timeout": 5})
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """

    partial_tools: bool
    every: Every
    limits: Limits
    first_chunk_timeout: float | None
    idle_timeout: float | None
    total_timeout: float | None
    replay: bool | int
