"""The differences between a server and the wire format that it uses, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .types import FinishReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """The differences between a server and the wire format that it uses.

    The record of a provider contains one. Requests, responses and the stream decoder all read it.

    Attributes:
        reasoning_fields: Members of a message that contain the model's reasoning; the first one present is used.
        usage_in: A member of a chunk that contains `usage`, for servers that do not report it at the top level.
        reports_end: Whether a stream reports its end, by a finish reason, by usage or by `[DONE]`. If it should but
            does not, it was cut off.
        stream_options: Whether the server accepts `stream_options`, which requests usage in streams.
        finish_reasons: Finish reasons of the server that the format does not define, mapped to common ones.
        tool_choice: The value of `tool_choice` that forces a call of the only tool: a word, or `"name"` for the
            tool's name.
        empty_parameters: Whether the server requires a parameter schema for tools without parameters.
        audio: Whether messages may contain audio.
        image_detail: Whether the server accepts the `detail` of an image.
        documents: Whether messages may contain PDF documents, as `file` parts.
        cache_control: Whether the server accepts cache marks; if not, they are dropped.
        tool_ids: A regular expression of the ids of tool calls that the server accepts; empty if it accepts any. Other
            ids are rewritten, in calls and results.
        after_tools: The text of an assistant message that is sent between a tool result and a user message, for servers
            that refuse a user message there; empty if none is sent.
        prefix: Whether an assistant message at the end of a request needs `prefix`, so that the model continues it.
        prefill: A regular expression of the names of models that continue an assistant message at the end of a request;
            empty if none does.
        reasoning_back: Members with earlier reasoning of the model that the server requires or accepts in a request.
            They are only sent back to the provider and model that they came from.

    Example:
        ```python
        from ferroscope import Quirks

        quirks = Quirks(reasoning_fields=("thoughts",), stream_options=False)
        ```
    """

    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning")
    usage_in: str | None = None
    reports_end: bool = True
    stream_options: bool = True
    finish_reasons: Mapping[str, FinishReason] = field(default_factory=dict)
    tool_choice: Literal["required", "any", "name"] = "required"
    empty_parameters: bool = False
    audio: bool = True
    image_detail: bool = True
    documents: bool = False
    cache_control: bool = False
    tool_ids: str = ""
    after_tools: str = ""
    prefix: bool = False
    prefill: str = ""
    reasoning_back: tuple[str, ...] = ("reasoning_content", "reasoning", "reasoning_details")

    def decoder_options(self) -> dict[str, Any]:  # Any: keyword arguments of the core's decoder
        """Return the part that the core's decoder reads, as its keyword arguments."""
        return {
            "reasoning": list(self.reasoning_fields),
            "usage_in": self.usage_in,
            "reports_end": self.reports_end,
        }
