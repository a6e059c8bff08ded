"""The parameters of a call of Cohere.

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
    """The parameters of a call of Cohere; those that are None are left out.

    Parameters that a newer SDK adds can be given too: all of them are passed to the SDK's method as they are.

    Of the old API, `preamble` becomes the first system message and `citation_quality` the mode of `citation_options`;
    `documents` are accepted in its form. Its other parameters have no counterpart: the call raises a ValueError that
    names the parameter and what to use instead.
    """

    citation_options: NotRequired[CitationOptions | dict[str, Any] | None]  # Any: JSON of the caller's
    citation_quality: NotRequired[str | None]
    documents: NotRequired[Sequence[str | Mapping[str, Any]] | None]  # Any: JSON of the caller's
    extra_body: NotRequired[dict[str, Any] | None]  # Any: JSON of the caller's
    extra_headers: NotRequired[dict[str, str] | None]
    extra_query: NotRequired[dict[str, Any] | None]  # Any: as the SDK takes it
    frequency_penalty: NotRequired[float | None]
    k: NotRequired[int | None]
    logprobs: NotRequired[bool | None]
    max_tokens: NotRequired[int | None]
    p: NotRequired[float | None]
    preamble: NotRequired[str | None]
    presence_penalty: NotRequired[float | None]
    priority: NotRequired[int | None]
    request_options: NotRequired[RequestOptions | None]
    response_format: NotRequired[ResponseFormatV2 | dict[str, Any] | None]  # Any: JSON of the caller's
    safety_mode: NotRequired[str | None]
    seed: NotRequired[int | None]
    stop_sequences: NotRequired[Sequence[str] | None]
    strict_tools: NotRequired[bool | None]
    temperature: NotRequired[float | None]
    thinking: NotRequired[Thinking | dict[str, Any] | None]  # Any: JSON of the caller's
    timeout: NotRequired[float | None]
    tool_choice: NotRequired[str | None]
    tools: NotRequired[Sequence[ToolV2 | dict[str, Any]] | None]  # Any: JSON of the caller's
    # The rest of the old API's, for the error that says what to use instead.
    chat_history: NotRequired[Sequence[Any] | None]  # Any: messages of the old API
    connectors: NotRequired[Sequence[Any] | None]  # Any: as above
    conversation_id: NotRequired[str | None]
    max_input_tokens: NotRequired[int | None]
    prompt_truncation: NotRequired[str | None]
    raw_prompting: NotRequired[bool | None]
    search_queries_only: NotRequired[bool | None]
    tool_results: NotRequired[Sequence[Any] | None]  # Any: as above
