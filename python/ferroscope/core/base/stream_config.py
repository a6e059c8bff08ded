"""The options of a stream."""

from __future__ import annotations

from typing import Literal, TypeAlias

from typing_extensions import TypedDict

Every: TypeAlias = Literal["delta", "change", "field"]


class Limits(TypedDict, total=False):
    """Limits of a stream, beyond which it raises `LimitExceededError`.

    The defaults are far beyond the size of real streams; they bound the memory that a faulty or hostile server can use.
    """

    event_bytes: int
    """Maximum size of an event in bytes; default 16 MiB."""
    response_bytes: int
    """Maximum size of all events in bytes; default 128 MiB."""
    tool_calls: int
    """Maximum number of tool calls in a message; default 1024."""
    choices: int
    """Maximum number of choices in a response; default 1024."""
    depth: int
    """Maximum depth of nested JSON in an event; default 200."""


class StreamConfig(TypedDict, total=False):
    """The options of a stream. Passing them as `stream=` enables streaming.

    - `partial_tools`: whether to yield tools also while their arguments are being received.
    - `every`: when a structured stream yields an instance: after every text delta (`"delta"`, the default), only if
      the instance changed (`"change"`), or only if another field is complete (`"field"`).
    - `limits`: limits on the size of the stream.
    - `first_chunk_timeout`, `idle_timeout`, `total_timeout`: the maximum seconds from the request to the first chunk,
      from one chunk to the next, and from the request to the end. When one expires, the stream raises a
      `StreamInterruptedError`, which is also the SDK's `APITimeoutError` and has the received data as `partial`.
    - `replay`: whether the stream can be iterated over again after its end, without another request. The received data
      is buffered for that, up to the given number of bytes, or up to a default limit if it is True.
    - `batch`: the longest delay of an event in seconds, such as 0.005. Events that arrive within it are read together,
      which costs less CPU time where many streams are open. By default each event is read when it arrives.

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
    batch: float | None
