"""The parameters of a call to Anthropic.

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
    """The parameters of a call to Anthropic; parameters that are None are not sent.

    Parameters that a newer SDK adds are accepted too; all parameters are passed to the SDK's method unchanged.
    Without `max_tokens`, a response may have up to 1024 tokens.
    `temperature`, `top_p` and `top_k` are passed in the way that the installed major version of the SDK allows; if it
    allows none, a warning is emitted.

    `tools` contains tools that Anthropic runs itself, such as web search; they are added to the tools of the call.

    `context_management`, and `speed` for some models, are beta features of the API. A header enables them:
    `extra_headers={"anthropic-beta": "context-management-2025-06-27"}` or `"fast-mode-2026-02-01"`.
    """

    container: NotRequired[str | None]
    context_management: NotRequired[dict[str, Any] | None]  # Any: JSON of a beta feature
    extra_body: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: the SDK's type
    inference_geo: NotRequired[str | None]
    max_tokens: NotRequired[int]
    metadata: NotRequired[MetadataParam | None]
    output_config: NotRequired[dict[str, Any] | None]  # Any: the SDK's type
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
