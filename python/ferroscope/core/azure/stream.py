"""The stream of a call to a model on Azure."""

from __future__ import annotations

from typing import Any

from ..._dialects.openai_chat.content_filters import FilteredContent
from ..._dialects.openai_chat.stream import ChatStream
from ..base.types import FinishReason
from .call_params import AzureCallParams
from .call_response import AzureCallResponse
from .call_response_chunk import AzureCallResponseChunk
from .dynamic_config import AzureDynamicConfig
from .tool import AzureTool


class AzureStream(
    FilteredContent,
    ChatStream[AzureCallResponse, AzureCallResponseChunk, AzureTool, AzureDynamicConfig, AzureCallParams, FinishReason],
):
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

    def _filtered(self) -> Any:  # Any: the SDK's response
        return self._run.response().response
