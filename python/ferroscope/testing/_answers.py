"""The vocabulary of scripted answers: what the model is to say, and recordings of what one has said.

    >>> from ferroscope.testing import Answer, Text, ToolCall, ToolCalls, Usage
    >>> weather = ToolCall("weather", {"city": "Oslo"})
    >>> Answer(Text("Let me see."), ToolCalls(weather), usage=Usage(12, 7)).finish
    'tool_calls'

One answer serves both kinds of request: streamed in pieces, or whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ferroscope.testing._exchange import Exchange, Failure, Piece, Response, Script, json_response, paced

__all__ = [
    "Answer",
    "Body",
    "ContentFilter",
    "Json",
    "Part",
    "Reasoning",
    "Refusal",
    "Replay",
    "Text",
    "ToolCall",
    "ToolCallShape",
    "ToolCalls",
    "Usage",
    "as_script",
]

Chunks: TypeAlias = int | Sequence[str] | None
"""How to cut a text: into so many parts, into these parts, or (None) after each word."""

ToolCallShape = Literal["sequential", "interleaved", "together", "same_index", "repeated_id", "whole"]
"""How parallel tool calls lie in the stream.

sequential: one call after the other, name first, then its arguments in fragments.
interleaved: fragments of all calls in turn.
together: all calls, each in full, in one delta.
same_index: every call says index 0, a new id starts a new one.
repeated_id: id and name on every fragment.
whole: each call in full in a delta of its own.
"""


def cut_text(text: str, chunks: Chunks) -> list[str]:
    """`text` in pieces that join to it again; nothing for an empty text."""
    if chunks is None:
        return re.findall(r"\s*\S+\s*|\s+", text)
    if isinstance(chunks, int):
        size, longer = divmod(len(text), max(chunks, 1))
        cuts = [0]
        for number in range(max(chunks, 1)):
            cuts.append(cuts[-1] + size + (number < longer))
        return [text[start:end] for start, end in pairwise(cuts) if end > start]
    return list(chunks)


def _check_chunks(owner: str, text: str, chunks: Chunks) -> None:
    if chunks is None or isinstance(chunks, int):
        return
    joined = "".join(chunks)
    if joined != text:
        raise ValueError(f"{owner}: the chunks join to {joined!r}, not to {text!r}")


@dataclass(frozen=True, slots=True)
class Text:
    """Content of the assistant's message."""

    text: str
    chunks: Chunks = None

    def __post_init__(self) -> None:
        _check_chunks("Text", self.text, self.chunks)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Thinking sent beside the content. `field` is where OpenAI-compatible services put it."""

    text: str
    chunks: Chunks = None
    field: Literal["reasoning_content", "reasoning"] = "reasoning_content"

    def __post_init__(self) -> None:
        _check_chunks("Reasoning", self.text, self.chunks)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model's refusal, in the field that providers keep for it."""

    text: str
    chunks: Chunks = None

    def __post_init__(self) -> None:
        _check_chunks("Refusal", self.text, self.chunks)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool. `arguments`: an object, raw text (broken JSON is welcome), or None: not sent."""

    name: str
    arguments: Mapping[str, Any] | str | None = field(default_factory=dict[str, Any])
    id: str | None = None
    """None: `call_1`, `call_2`... by position in the answer."""
    chunks: Chunks = 3

    def __post_init__(self) -> None:
        _check_chunks("ToolCall", self.text or "", self.chunks)

    @property
    def text(self) -> str | None:
        """The arguments as they stand on the wire."""
        if self.arguments is None or isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True, init=False)
class ToolCalls:
    """Parallel tool calls, in one of the shapes that providers send."""

    calls: tuple[ToolCall, ...]
    shape: ToolCallShape

    def __init__(self, *calls: ToolCall, shape: ToolCallShape = "sequential") -> None:
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "shape", shape)


@dataclass(frozen=True, slots=True)
class Json:
    """Content that is the JSON text of `value`, as structured outputs and JSON mode give it."""

    value: Any
    chunks: Chunks = 8

    @property
    def text(self) -> str:
        return json.dumps(self.value, ensure_ascii=False)


_SAFE: Mapping[str, Any] = {
    category: {"filtered": False, "severity": "safe"} for category in ("hate", "self_harm", "sexual", "violence")
}


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """What Azure's content filter says beside an answer.

    Args:
        prompt: Its results for the prompt, in a first frame that says nothing else; None: no such frame.
        answer: Its results for the answer, with each piece of text; None: it says nothing.
        asynchronous: Whether these come later, in frames of their own that have no `delta`, also behind the
            finish reason.
    """

    prompt: Mapping[str, Any] | None = field(default_factory=lambda: _SAFE)
    answer: Mapping[str, Any] | None = field(default_factory=lambda: _SAFE)
    asynchronous: bool = False


Part: TypeAlias = Text | Json | Reasoning | Refusal | ToolCall | ToolCalls


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts, cached and reasoning tokens being part of input and output."""

    input: int = 10
    output: int = 20
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True, init=False)
class Answer:
    """An answer of the model: its parts in order, and how they travel.

    Args:
        parts: What is said. A plain string is a `Text`.
        usage: Token counts; None for a provider that never tells.
        usage_in: `own_chunk` only when the client asked for it, as OpenAI does; the others send it unasked.
        finish: The finish reason; None: `tool_calls` when there are any, else `stop`.
        model: The model named in the response; None: the one asked for.
        delay: Seconds before each event of a stream, and before the body of a plain response.
        first_delay: Seconds before the first event, when different.
        coalesce: Events in one HTTP chunk; 0 puts the whole stream in one.
        extra: Fields added to the top of every chunk and of the plain response.
        content_filter: What Azure's filter says, on its wire.
    """

    parts: tuple[Part, ...]
    usage: Usage | None
    usage_in: Literal["own_chunk", "finish_chunk", "every_chunk"]
    finish: str
    model: str | None
    delay: float
    first_delay: float | None
    coalesce: int
    extra: Mapping[str, Any]
    content_filter: ContentFilter

    def __init__(
        self,
        *parts: Part | str,
        usage: Usage | None = Usage(),
        usage_in: Literal["own_chunk", "finish_chunk", "every_chunk"] = "own_chunk",
        finish: str | None = None,
        model: str | None = None,
        delay: float = 0.0,
        first_delay: float | None = None,
        coalesce: int = 1,
        extra: Mapping[str, Any] | None = None,
        content_filter: ContentFilter | None = None,
    ) -> None:
        made = tuple(Text(part) if isinstance(part, str) else part for part in parts)
        calls_tools = any(isinstance(part, ToolCall | ToolCalls) for part in made)
        values = {
            "parts": made,
            "usage": usage,
            "usage_in": usage_in,
            "finish": finish or ("tool_calls" if calls_tools else "stop"),
            "model": model,
            "delay": delay,
            "first_delay": first_delay,
            "coalesce": coalesce,
            "extra": dict(extra or {}),
            "content_filter": content_filter or ContentFilter(),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def text(self) -> str:
        """The content: what a client should end up with."""
        return "".join(part.text for part in self.parts if isinstance(part, Text | Json))

    @property
    def reasoning(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Reasoning))

    @property
    def refusal(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Refusal))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls of all parts in order, each with its id."""
        found: list[ToolCall] = []
        for part in self.parts:
            if isinstance(part, ToolCall | ToolCalls):
                found += (part,) if isinstance(part, ToolCall) else part.calls
        return tuple(
            ToolCall(call.name, call.arguments, call.id or f"call_{number}", call.chunks)
            for number, call in enumerate(found, 1)
        )

    def respond(self, exchange: Exchange) -> Response:
        request = exchange.request
        if not exchange.streamed:
            body = json.dumps(exchange.wire.render_body(self, request), ensure_ascii=False).encode()
            wait = self.delay if self.first_delay is None else self.first_delay
            return json_response(body, wait=wait)
        events = exchange.wire.render_stream(self, request)
        pieces = paced(events, delay=self.delay, first_delay=self.first_delay, coalesce=self.coalesce)
        return Response(pieces=pieces, headers=exchange.stream_headers)


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded stream, byte for byte.

    Args:
        source: The recording, or the file that holds it.
        read_sizes: The recorded reads, each sent as one HTTP chunk (what is left over goes in a last one);
            None: one HTTP chunk for each event.
        body: What to answer when the same call comes without streaming: the recording's non-streamed twin.
        content_type: None: the one of the wire.
        delay: Seconds before each HTTP chunk.
    """

    source: Path | str | bytes
    read_sizes: Sequence[int] | None = None
    body: Path | str | bytes | Mapping[str, Any] | None = None
    content_type: str | None = None
    delay: float = 0.0

    @property
    def recording(self) -> bytes:
        return _read(self.source)

    def respond(self, exchange: Exchange) -> Response:
        if not exchange.streamed:
            if self.body is None:
                return exchange.error(
                    Failure("this Replay has no `body=` for a request without streaming", 501),
                    headers=NO_RETRY,
                )
            twin = self.body
            return json_response(json.dumps(twin).encode() if isinstance(twin, Mapping) else _read(twin))
        if self.read_sizes is None:
            parts = list(exchange.wire.split(self.recording))
        else:
            parts = _cut_bytes(self.recording, self.read_sizes)
        headers = exchange.stream_headers
        if self.content_type is not None:
            headers = (("content-type", self.content_type),)
        return Response(pieces=paced(parts, delay=self.delay), headers=headers)


@dataclass(frozen=True, slots=True)
class Body:
    """One body for whatever was asked: an object becomes JSON, text and bytes go as they are."""

    content: Mapping[str, Any] | Sequence[Any] | str | bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def respond(self, exchange: Exchange) -> Response:
        content = self.content
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = json.dumps(content, ensure_ascii=False).encode()
        return Response(
            pieces=(Piece(content),),
            status=self.status,
            headers=(("content-type", self.content_type), *self.headers.items()),
            chunked=False,
        )


NO_RETRY = (("x-should-retry", "false"),)
"""A fault in the script shows at once: the SDKs honour this header and do not try again."""


def as_script(script: Script | Part | str) -> Script:
    """A plain text or a single part is an answer of its own."""
    if isinstance(script, str | Text | Json | Reasoning | Refusal | ToolCall | ToolCalls):
        return Answer(script)
    return script


def _read(source: Path | str | bytes) -> bytes:
    return source if isinstance(source, bytes) else Path(source).read_bytes()


def _cut_bytes(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    parts: list[bytes] = []
    start = 0
    for size in sizes:
        parts.append(data[start : start + size])
        start += size
    parts.append(data[start:])
    return [part for part in parts if part]
