"""The stream of a call to a model on Azure."""

from __future__ import annotations

from ..._dialects.openai_chat.filtered import FilteredStream
from .call_params import AzureCallParams
from .call_response import AzureCallResponse
from .call_response_chunk import AzureCallResponseChunk
from .dynamic_config import AzureDynamicConfig
from .tool import AzureTool


class AzureStream(
    FilteredStream[AzureCallResponse, AzureCallResponseChunk, AzureTool, AzureDynamicConfig, AzureCallParams]
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
