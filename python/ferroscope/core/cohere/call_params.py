"""The parameters of a call to Cohere.

https://docs.cohere.com/v2/reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired

from ..base.call_params import BaseCallParams

if TYPE_CHECKING:
    from cohere import CitationOptions, ResponseFormatV2, Thinking, ToolV2
    from cohere.core import RequestOptions


class CohereCallParams(BaseCallParams, total=False):
    """The parameters of a call to Cohere; parameters that are None are not sent.

    Parameters that a newer SDK adds are accepted too; all parameters are passed to the SDK's method unchanged.

    Parameters of the v1 API: `preamble` becomes the first system message, `citation_quality` the mode of
    `citation_options`, and `documents` are accepted in the old form. The call raises ValueError for the other ones and
    names the replacement.
    """

    citation_options: NotRequired[CitationOptions | dict[str, Any] | None]  # Any: the caller's JSON
    citation_quality: NotRequired[str | None]
    documents: NotRequired[Sequence[str | Mapping[str, Any]] | None]  # Any: the caller's JSON
    extra_body: NotRequired[dict[str, Any] | None]  # Any: the caller's JSON
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: the SDK's type
    frequency_penalty: NotRequired[float | None]
    k: NotRequired[int | None]
    logprobs: NotRequired[bool | None]
    max_tokens: NotRequired[int | None]
    p: NotRequired[float | None]
    preamble: NotRequired[str | None]
    presence_penalty: NotRequired[float | None]
    priority: NotRequired[int | None]
    request_options: NotRequired[RequestOptions | None]
    response_format: NotRequired[ResponseFormatV2 | dict[str, Any] | None]  # Any: the caller's JSON
    safety_mode: NotRequired[str | None]
    seed: NotRequired[int | None]
    stop_sequences: NotRequired[Sequence[str] | None]
    strict_tools: NotRequired[bool | None]
    temperature: NotRequired[float | None]
    thinking: NotRequired[Thinking | dict[str, Any] | None]  # Any: the caller's JSON
    timeout: NotRequired[float | None]
    tool_choice: NotRequired[str | None]
    tools: NotRequired[Sequence[ToolV2 | dict[str, Any]] | None]  # Any: the caller's JSON
    # Other parameters of the v1 API; the error for them names the replacement.
    chat_history: NotRequired[Sequence[Any] | None]  # Any: messages of the v1 API
    connectors: NotRequired[Sequence[Any] | None]  # Any: as above
    conversation_id: NotRequired[str | None]
    max_input_tokens: NotRequired[int | None]
    prompt_truncation: NotRequired[str | None]
    raw_prompting: NotRequired[bool | None]
    search_queries_only: NotRequired[bool | None]
    tool_results: NotRequired[Sequence[Any] | None]  # Any: as above
