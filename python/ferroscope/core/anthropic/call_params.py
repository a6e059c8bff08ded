"""The parameters of a call of Anthropic.

https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NotRequired

from ..base.call_params import BaseCallParams

if TYPE_CHECKING:
    from anthropic import Timeout
    from anthropic.types import (
        MetadataParam,
        TextBlockParam,
        ThinkingConfigParam,
        ToolChoiceParam,
        ToolUnionParam,
    )


class AnthropicCallParams(BaseCallParams):
    """The parameters of a call of Anthropic; those that are None are left out.

    What a newer SDK knows beyond these can be given too: all of them are handed to the SDK's method as they are.
    An answer may have 1024 tokens where `max_tokens` does not say how many.
    `temperature`, `top_p` and `top_k` go the way that each major version of the SDK leaves them, or warn.

    `tools` has those that Anthropic runs itself, such as web search; they are offered beside the tools of the call.

    `context_management`, and `speed` for some models, are betas of the API, which have to be asked for by name:
    `extra_headers={"anthropic-beta": "context-management-2025-06-27"}`, and `"fast-mode-2026-02-01"`.
    """

    container: NotRequired[str | None]
    context_management: NotRequired[dict[str, Any] | None]  # Any: JSON, a beta of the API
    extra_body: NotRequired[dict[str, Any] | None]  # Any: JSON of the caller's
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: as the SDK takes it
    inference_geo: NotRequired[str | None]
    max_tokens: NotRequired[int]
    metadata: NotRequired[MetadataParam | None]
    output_config: NotRequired[dict[str, Any] | None]  # Any: as the SDK takes it
    service_tier: NotRequired[str | None]
    speed: NotRequired[str | None]
    stop_sequences: NotRequired[list[str] | None]
    system: NotRequired[str | Iterable[TextBlockParam] | None]
    temperature: NotRequired[float | None]
    thinking: NotRequired[ThinkingConfigParam | None]
    timeout: NotRequired[float | Timeout | None]
    tool_choice: NotRequired[ToolChoiceParam | None]
    tools: NotRequired[Iterable[ToolUnionParam] | None]
    top_k: NotRequired[int | None]
    top_p: NotRequired[float | None]
