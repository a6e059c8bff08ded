"""The differences of one OpenAI-compatible server from OpenAI's chat format, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ferroscope.testing._vocabulary import ToolCallShape, Usage, UsageIn

__all__ = ["ChatServer", "Count", "UsagePlace"]

Count = Literal["cached", "uncached", "cache_write", "cost", "cost_ticks"]
"""A value of a request's `Usage` that a server reports in a field of its own.

cached, uncached, cache_write: input tokens read from the cache, not read from it, written to it.
cost: the price in USD; omitted if the answer has none.
cost_ticks: the price in units of 1e-10 USD; omitted if the answer has none.
"""


@dataclass(frozen=True, slots=True)
class UsagePlace:
    """One place of usage in a stream.

    Attributes:
        chunk: The chunk that has it.
        member: Its place in this chunk: a path of members from the top, or `choice` for inside the choice.
        asked: Whether the server sends it only if the request has `stream_options: {"include_usage": true}`.
    """

    chunk: UsageIn
    member: tuple[str, ...] | Literal["choice"] = ("usage",)
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatServer:
    """An OpenAI-compatible server: its address on the test server, and its differences from OpenAI's format.

    The defaults are a plain server: OpenAI's format without OpenAI's own extras.

        >>> from ferroscope.testing import Answer, ChatServer, ProviderServer, ToolCall, ToolCalls
        >>> acme = ChatServer(name="acme", tool_index="missing", done=False)
        >>> with ProviderServer(Answer(ToolCalls(ToolCall("now"))), servers=[acme]) as server:
        ...     url = server.base_url("acme")

    Attributes:
        name: The name for `base_url`, which is also the first segment of the path.
        path: The rest of the path that the server's SDK takes as its base URL.
        top: Members at the top of each chunk and of a plain response.
        first: Members at the top of the first chunk only.
        last: Members at the top of the chunk with the finish reason, and of a plain response.
        prelude: A first chunk of its own, before the answer.
        ids: The response id: the same in each chunk, another one in each, or an empty string.
        opening: The delta of a first chunk that opens the message; None: there is none, and the first delta with
            content also has the role.
        delta: Members that each delta has, unless it has them with another value.
        closing: The delta of the chunk with the finish reason; None for `null`.
        choice: Members that each choice has, unless it has them with another value.
        message_so_far: Whether each choice also has the `message` up to this chunk.
        finish_with_content: Whether the finish reason comes in the chunk of the last delta.
        finish_words: The server's own words for finish reasons.
        native_finish: Whether the finish reason is repeated as `native_finish_reason`.
        reasoning: The field of reasoning in deltas and messages; `content` for typed parts in the content.
        reasoning_details: Whether the same reasoning also comes as `reasoning_details`.
        encrypted: The field of encrypted reasoning; None: it is left out, unless there are `reasoning_details`.
        tool_shape: The order and the grouping of tool calls.
        tool_index: The index of tool calls: their position, always 0, missing, always -1, or counted from 1.
        tool_id: The id of the tool call with the number `{}`.
        tool_type: Whether tool calls have a `type`.
        tool_opening: Whether a call in fragments opens with its name and no arguments.
        thought_signatures: Whether a tool call's signature comes in `extra_content.google`.
        citations: The place of citations: `annotations` of the message, `references` as parts of the content, or
            a list of addresses at the top of each or of the last chunk. `every_chunk` also has `search_results`.
        usage: The places of usage in a stream.
        usage_null: Whether chunks without usage say `usage: null`, in streams that report it at the top.
        usage_details: Whether usage has details of its input and output tokens.
        usage_choice: Whether the chunk with usage only has a choice with an empty delta.
        usage_extra: Further fields of usage, by name or dotted path: a `Count`, or a constant.
        reasoning_beside: Whether `completion_tokens` excludes reasoning tokens. The total includes them.
        error: The body of errors: OpenAI's, the same with the status as `code`, one object without `error`, a text
            in `error`, or Google's.
        stream_error: The error inside a stream: a data event, the same named `error`, a field `error`, or beside
            the choices of a last chunk with the finish reason `error`.
        keep_alive: A comment before the first and the second event.
        padding: A member at the top with random text; here with fixed text.
        data: The start of a line with data.
        line_end: The end of a line.
        done: Whether `[DONE]` ends the stream.
    """

    name: str
    path: str = "/v1"

    top: Mapping[str, Any] = field(default_factory=dict[str, Any])
    first: Mapping[str, Any] = field(default_factory=dict[str, Any])
    last: Mapping[str, Any] = field(default_factory=dict[str, Any])
    prelude: Mapping[str, Any] | None = None
    ids: Literal["same", "changing", "empty"] = "same"

    opening: Mapping[str, Any] | None = field(default_factory=lambda: {"role": "assistant", "content": ""})
    delta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    closing: Mapping[str, Any] | None = field(default_factory=dict[str, Any])
    choice: Mapping[str, Any] = field(default_factory=lambda: {"finish_reason": None})
    message_so_far: bool = False
    finish_with_content: bool = False
    finish_words: Mapping[str, str] = field(default_factory=dict[str, str])
    native_finish: bool = False

    reasoning: Literal["reasoning_content", "reasoning", "content"] = "reasoning_content"
    reasoning_details: bool = False
    encrypted: str | None = None

    tool_shape: ToolCallShape = "sequential"
    tool_index: Literal["position", "zero", "missing", "minus_one", "from_one"] = "position"
    tool_id: str = "call_{}"
    tool_type: bool = True
    tool_opening: bool = True
    thought_signatures: bool = False

    citations: Literal["annotations", "references", "every_chunk", "last_chunk"] = "annotations"

    usage: tuple[UsagePlace, ...] = (UsagePlace("own_chunk", asked=True),)
    usage_null: bool = False
    usage_details: bool = True
    usage_choice: bool = False
    usage_extra: Mapping[str, Count | float] = field(default_factory=dict[str, Count | float])
    reasoning_beside: bool = False

    error: Literal["openai", "coded", "flat", "text", "google"] = "openai"
    stream_error: Literal["data", "event", "field", "beside_choices"] = "data"

    keep_alive: str | None = None
    padding: str | None = None
    data: Literal["data: ", "data:"] = "data: "
    line_end: Literal["\n", "\r\n"] = "\n"
    done: bool = True

    @property
    def mount(self) -> str:
        """The path that the server's SDK takes as (the end of) its base URL."""
        return f"/{self.name}{self.path}"

    def places(self, usage_in: UsageIn | None, *, asked: bool) -> tuple[UsagePlace, ...]:
        """Return the places of usage in a stream: that of the answer, if it has one, or else the server's own."""
        if usage_in is not None:
            return (UsagePlace(usage_in),) if asked or usage_in != "own_chunk" else ()
        return tuple(place for place in self.usage if asked or not place.asked)

    def counts(self, usage: Usage, share: float = 1.0) -> dict[str, Any]:
        """Return usage as this server counts. `share` is the sent fraction of the output."""
        output, thoughts = int(usage.output * share), int(usage.reasoning * share)
        found: dict[str, Any] = {
            "prompt_tokens": usage.input,
            "completion_tokens": output - thoughts if self.reasoning_beside else output,
            "total_tokens": usage.input + output,
        }
        if self.usage_details:
            found["prompt_tokens_details"] = {"cached_tokens": usage.cached, "audio_tokens": 0}
            found["completion_tokens_details"] = {
                "reasoning_tokens": thoughts,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            }
        for path, source in self.usage_extra.items():
            value = _count(source, usage) if isinstance(source, str) else source
            if value is not None:
                put(found, tuple(path.split(".")), value)
        return found


def _count(source: Count, usage: Usage) -> float | None:
    match source:
        case "cached":
            return usage.cached
        case "uncached":
            return usage.input - usage.cached
        case "cache_write":
            return usage.cache_write
        case "cost":
            return usage.cost
        case "cost_ticks":
            return None if usage.cost is None else round(usage.cost * 1e10)


def put(target: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set a member by its path, and create the objects on the way."""
    *parents, name = path
    for parent in parents:
        target = target.setdefault(parent, {})
    target[name] = value
