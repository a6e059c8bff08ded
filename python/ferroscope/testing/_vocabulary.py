"""The vocabulary of scripted answers: the parts of a model's answer, its usage, and errors.

    >>> from ferroscope.testing import Answer, Text, ToolCall, ToolCalls, Usage
    >>> weather = ToolCall("weather", {"city": "Oslo"})
    >>> Answer(Text("Let me see."), ToolCalls(weather), usage=Usage(12, 7)).finish
    'tool_calls'

Every wire can render every answer, streamed in chunks or as one body. A wire omits content that its format does not
support: Cohere has no signatures, for example.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal, Protocol, TypeAlias

from ferroscope.testing._http import Response

__all__ = [
    "Answer",
    "Blocked",
    "Chunks",
    "Citation",
    "ContentFilter",
    "EncryptedReasoning",
    "Failure",
    "Json",
    "Media",
    "Part",
    "Reasoning",
    "Refusal",
    "Renderer",
    "Text",
    "ToolCall",
    "ToolCallShape",
    "ToolCalls",
    "ToolPlan",
    "Usage",
    "UsageIn",
    "cut_text",
    "with_citations",
]

Chunks: TypeAlias = int | Sequence[str] | None
"""The chunks of a text: their number, the chunks themselves, or None for one chunk per word."""

ToolCallShape = Literal[
    "sequential", "interleaved", "together", "same_index", "without_index", "repeated_id", "whole", "by_path"
]
"""The order and the grouping of parallel tool calls in a stream.

sequential: one call after the other, the name first, then the arguments in fragments.
interleaved: fragments of all calls in turn.
together: all calls, each in full, in one delta.
same_index: every call has index 0, a new id starts a new one.
without_index: fragments without an index, a new id starts a new call.
repeated_id: id and name on every fragment.
whole: each call in full in a delta of its own.
by_path: arguments as values at JSON paths (Gemini); `sequential` elsewhere.
"""

UsageIn = Literal["own_chunk", "finish_chunk", "every_chunk"]
"""The place of usage in a stream.

own_chunk: in a last chunk without choices, if the request asks for it.
finish_chunk: beside the finish reason.
every_chunk: in each chunk, cumulative.
"""


def cut_text(text: str, chunks: Chunks) -> list[str]:
    """Return `text` in chunks whose concatenation is `text`. An empty text has none."""
    if chunks is None:
        return re.findall(r"\s*\S+\s*|\s+", text)
    if isinstance(chunks, int):
        size, longer = divmod(len(text), max(chunks, 1))
        cuts = [0]
        for number in range(max(chunks, 1)):
            cuts.append(cuts[-1] + size + (number < longer))
        return [text[start:end] for start, end in pairwise(cuts) if end > start]
    return list(chunks)


def with_citations(parts: Sequence[Part]) -> Iterator[tuple[Part, tuple[Citation, ...]]]:
    """Yield each part with the citations that follow it."""
    start = 0
    while start < len(parts):
        end = start + 1
        while end < len(parts) and isinstance(parts[end], Citation):
            end += 1
        yield parts[start], tuple(part for part in parts[start + 1 : end] if isinstance(part, Citation))
        start = end


def _check_chunks(owner: str, text: str, chunks: Chunks) -> None:
    if chunks is None or isinstance(chunks, int):
        return
    joined = "".join(chunks)
    if joined != text:
        raise ValueError(f"{owner}: the chunks join to {joined!r}, not to {text!r}")


@dataclass(frozen=True, slots=True)
class Text:
    """Content of the assistant's message.

    Args:
        text: The content.
        chunks: Its chunks in a stream.
        signature: Gemini's thought signature (base64). It is sent with the last chunk; an empty text with a
            signature is an empty part that carries only the signature.
    """

    text: str
    chunks: Chunks = None
    signature: str | None = None

    def __post_init__(self) -> None:
        _check_chunks("Text", self.text, self.chunks)


@dataclass(frozen=True, slots=True)
class Json:
    """Content that is the JSON text of `value`, as structured outputs and JSON mode return it."""

    value: Any
    chunks: Chunks = 8

    @property
    def text(self) -> str:
        """The value as JSON text."""
        return json.dumps(self.value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Reasoning (thinking) that the provider sends beside the content.

    Args:
        text: The reasoning.
        chunks: Its chunks in a stream.
        field: The field of the delta in OpenAI's format; None: the one of the server.
        signature: Proof of origin (base64) that must go back with the reasoning; None: a fixed one where the
            format requires it (Anthropic).
    """

    text: str
    chunks: Chunks = None
    field: Literal["reasoning_content", "reasoning"] | None = None
    signature: str | None = None

    def __post_init__(self) -> None:
        _check_chunks(type(self).__name__, self.text, self.chunks)


@dataclass(frozen=True, slots=True)
class ToolPlan(Reasoning):
    """Cohere's `tool_plan`: the model's plan for its tool calls. Other formats send it as reasoning."""


@dataclass(frozen=True, slots=True)
class EncryptedReasoning:
    """Reasoning that only the provider can read: redacted or encrypted, as base64 text."""

    data: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of the model, in the provider's field for it."""

    text: str
    chunks: Chunks = None

    def __post_init__(self) -> None:
        _check_chunks("Refusal", self.text, self.chunks)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool.

    Args:
        name: The name of the tool.
        arguments: An object, raw text (also broken JSON), or None: not sent.
        id: None: `call_1`, `call_2`... by position in the answer; Gemini then sends no id.
        chunks: The fragments of the arguments in a stream; None: three. A server that sends whole calls joins them,
            unless they are listed.
        signature: Gemini's thought signature (base64) on this call.
    """

    name: str
    arguments: Mapping[str, Any] | str | None = field(default_factory=dict[str, Any])
    id: str | None = None
    chunks: Chunks = None
    signature: str | None = None

    def __post_init__(self) -> None:
        _check_chunks("ToolCall", self.text or "", self.chunks)

    @property
    def text(self) -> str | None:
        """The arguments as JSON text."""
        if self.arguments is None or isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(self.arguments, ensure_ascii=False)

    @property
    def fragments(self) -> list[str]:
        """The fragments of the arguments in a stream."""
        return cut_text(self.text or "", 3 if self.chunks is None else self.chunks)

    @property
    def value(self) -> Any:
        """The arguments as a JSON value. Broken JSON becomes an empty object, because only a stream can carry it."""
        if not isinstance(self.arguments, str):
            return self.arguments or {}
        try:
            return json.loads(self.arguments or "{}")
        except ValueError:
            return {}


@dataclass(frozen=True, slots=True, init=False)
class ToolCalls:
    """Parallel tool calls. `shape` is their order and grouping in a stream; None: the provider's own."""

    calls: tuple[ToolCall, ...]
    shape: ToolCallShape | None

    def __init__(self, *calls: ToolCall, shape: ToolCallShape | None = None) -> None:
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "shape", shape)


@dataclass(frozen=True, slots=True)
class Citation:
    """The source of a piece of the content, as each format cites a web page.

    Args:
        text: The cited piece of the answer's content.
        url: The address of the source.
        title: Its title.
    """

    text: str
    url: str
    title: str = "A source"


@dataclass(frozen=True, slots=True)
class Media:
    """Generated bytes (an image, audio), where the format sends them inline (Gemini)."""

    data: bytes
    media_type: str = "image/png"


@dataclass(frozen=True, slots=True)
class Blocked:
    """A prompt that the provider's filter blocks before the model sees it: the answer has no other content.

    Gemini reports it in `promptFeedback`, Anthropic and Bedrock as the stop reason of an empty message, Cohere as
    the finish reason, OpenAI and Azure with HTTP status 400.

    Args:
        reason: The provider's reason; None: its usual one.
        message: An explanation, where the format has one.
    """

    reason: str | None = None
    message: str = "The prompt was blocked by the content filter."


_SAFE: Mapping[str, Any] = {
    category: {"filtered": False, "severity": "safe"} for category in ("hate", "self_harm", "sexual", "violence")
}


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """Results of Azure's content filter beside an answer.

    Args:
        prompt: The results for the prompt, in a first chunk of their own; None: no such chunk.
        answer: The results for the answer, with each piece of text; None: none.
        asynchronous: Whether the results for the answer arrive late, in chunks of their own without `delta`, and also
            after the finish reason.
    """

    prompt: Mapping[str, Any] | None = field(default_factory=lambda: _SAFE)
    answer: Mapping[str, Any] | None = field(default_factory=lambda: _SAFE)
    asynchronous: bool = False


Part: TypeAlias = (
    Text | Json | Reasoning | EncryptedReasoning | Refusal | ToolCall | ToolCalls | Citation | Media | Blocked
)
"""One part of an answer."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of a request. Each format renders them by its own rules.

    Args:
        input: All input tokens, cached ones included.
        output: All output tokens, reasoning included.
        cached: Input tokens that were read from a cache.
        reasoning: Output tokens that were spent on reasoning.
        cache_write: Input tokens that were written to a cache.
        cost: The price in USD, where a server reports it.
    """

    input: int = 10
    output: int = 20
    cached: int = 0
    reasoning: int = 0
    cache_write: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of the provider. Each wire renders it in its own shape.

    Args:
        message: The text for the user.
        status: The HTTP status.
        type: The type (or status word); None: the wire's usual one for this HTTP status.
        code: The error code, where the format has one.
        param: The parameter at fault, where the format has one.
        extra: Further fields of the error object.
    """

    message: str
    status: int = 500
    type: str | None = None
    code: str | None = None
    param: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Renderer(Protocol):
    """The interface of an exchange to an answer."""

    def render(self, answer: Answer) -> Response: ...


@dataclass(frozen=True, slots=True, init=False)
class Answer:
    """An answer of the model: its parts in order, and the way to send them.

    Args:
        parts: The content. A plain string is a `Text`.
        usage: Token counts; None for a provider that never reports them.
        usage_in: The place of usage in a stream; None: the server's own.
        finish: The finish reason: `stop`, `length`, `tool_calls` or `content_filter`, each translated to the
            format's own value, or any value of the provider, sent unchanged. None: `tool_calls` if there are any,
            `content_filter` for a blocked prompt, else `stop`.
        finish_message: An explanation of the finish reason, where the format has one.
        model: The model named in the response; None: the requested one.
        delay: Seconds before each event of a stream, and before the body of a plain response.
        first_delay: Seconds before the first event, if different.
        coalesce: Events in one HTTP chunk; 0 puts the whole stream in one.
        extra: Fields added to the top of every chunk and of the plain response.
        content_filter: The results of Azure's filter, on its wire.
    """

    parts: tuple[Part, ...]
    usage: Usage | None
    usage_in: UsageIn | None
    finish: str
    finish_message: str | None
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
        usage_in: UsageIn | None = None,
        finish: str | None = None,
        finish_message: str | None = None,
        model: str | None = None,
        delay: float = 0.0,
        first_delay: float | None = None,
        coalesce: int = 1,
        extra: Mapping[str, Any] | None = None,
        content_filter: ContentFilter | None = None,
    ) -> None:
        made = tuple(Text(part) if isinstance(part, str) else part for part in parts)
        values = {
            "parts": made,
            "usage": usage,
            "usage_in": usage_in,
            "finish": finish or _finish_of(made),
            "finish_message": finish_message,
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
        """The content."""
        return "".join(part.text for part in self.parts if isinstance(part, Text | Json))

    @property
    def reasoning(self) -> str:
        """The reasoning, tool plans included."""
        return "".join(part.text for part in self.parts if isinstance(part, Reasoning))

    @property
    def refusal(self) -> str:
        """The refusal."""
        return "".join(part.text for part in self.parts if isinstance(part, Refusal))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls of all parts in order, each with its id."""
        found: list[ToolCall] = []
        for part in self.parts:
            if isinstance(part, ToolCall | ToolCalls):
                found += (part,) if isinstance(part, ToolCall) else part.calls
        return tuple(replace(call, id=call.id or f"call_{number}") for number, call in enumerate(found, 1))

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The citations in order."""
        return tuple(part for part in self.parts if isinstance(part, Citation))

    @property
    def blocked(self) -> Blocked | None:
        """The reason why the prompt was blocked; None if it was not."""
        return next((part for part in self.parts if isinstance(part, Blocked)), None)

    def span(self, citation: Citation) -> tuple[int, int]:
        """Return the first occurrence of a citation's text in the content, as start and end in characters."""
        start = max(self.text.find(citation.text), 0)
        return start, start + len(citation.text)

    def respond(self, exchange: Renderer) -> Response:
        """Return the response to a request."""
        return exchange.render(self)


def _finish_of(parts: Sequence[Part]) -> str:
    if any(isinstance(part, ToolCall | ToolCalls) for part in parts):
        return "tool_calls"
    return "content_filter" if any(isinstance(part, Blocked) for part in parts) else "stop"
