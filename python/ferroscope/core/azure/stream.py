"""The stream of a call to a model on Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..base.stream import BaseStream
from ..base.types import FinishReason
from ._filters import ContentFilterResults
from .call_response import AzureCallResponse
from .call_response_chunk import AzureCallResponseChunk
from .tool import AzureTool

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionAssistantMessageParam,
        ChatCompletionMessageParam,
        ChatCompletionToolMessageParam,
        ChatCompletionToolParam,
        ChatCompletionUserMessageParam,
    )

    from .call_params import AzureCallParams
    from .dynamic_config import AzureDynamicConfig

    _Base = BaseStream[
        AzureCallResponse,
        AzureCallResponseChunk,
        ChatCompletionUserMessageParam,
        ChatCompletionAssistantMessageParam,
        ChatCompletionToolMessageParam,
        ChatCompletionMessageParam,
        AzureTool,
        ChatCompletionToolParam,
        AzureDynamicConfig,
        AzureCallParams,
        FinishReason,
    ]
else:
    _Base = BaseStream


class AzureStream(_Base):
    """The stream of a call to a model on Azure.

    Example:
        ```python
        from ferroscope.core import azure


        @azure.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.content_filter_results)
        ```
    """

    @property
    def content_filter_results(self) -> ContentFilterResults | None:
        """The results of the content filter for the response so far, by category; None if there are none."""
        return cast("AzureCallResponse", self._run.response()).content_filter_results

    @property
    def prompt_filter_results(self) -> list[dict[str, Any]] | None:
        """The results of the content filter for each prompt; None if there are none."""
        return cast("AzureCallResponse", self._run.response()).prompt_filter_results

    @property
    def thinking(self) -> str:
        """The model's thinking received so far; empty if there is none."""
        return self._run.reasoning
