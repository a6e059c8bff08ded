"""The differences of one server from the wire format that it uses, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .types import FinishReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """The differences of one server from the wire format that it uses.

    A record of a provider has one. Requests, responses and the decoder of streams all read the same record.

    Attributes:
        reasoning_fields: Members of a message that hold the model's reasoning; the first one present counts.
        usage_in: A member of a chunk that holds `usage`, for servers that report it there instead of at the top.
        reports_end: Whether a stream reports its end, by a finish reason, by usage or by `[DONE]`. A stream that should
            and does not was cut off.
        stream_options: Whether the server accepts `stream_options`, which asks for usage in streams.
        finish_reasons: The server's own finish reasons that the format does not define, in common terms.
        tool_choice: The value of `tool_choice` that forces the call of the only tool: a word, or `"name"` to name
            the tool.
        empty_parameters: Whether the server requires a schema of the parameters of tools that have none.
        audio: Whether messages may contain audio.
        image_detail: Whether the server accepts the `detail` of an image.
        documents: Whether messages may contain PDF documents, as `file` parts.
        cache_control: Whether the server accepts cache marks; if not, they are left out.
        tool_ids: A regular expression of the ids of tool calls that the server accepts; empty if it accepts any. Others
            are rewritten, in calls and results alike.
        reasoning_back: Members with the model's earlier reasoning that the server requires or accepts in a request.
            They go back only to the provider and model that sent them.

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
    reasoning_back: tuple[str, ...] = ("reasoning_content", "reasoning", "reasoning_details")

    def decoder_options(self) -> dict[str, Any]:  # Any: keyword arguments of the core's decoder
        """Return the part that the core's decoder reads, as its keyword arguments."""
        return {
            "reasoning": list(self.reasoning_fields),
            "usage_in": self.usage_in,
            "reports_end": self.reports_end,
        }
