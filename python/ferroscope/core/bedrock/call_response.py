"""The response of a call to Amazon Bedrock."""

from __future__ import annotations

from ..._dialects.bedrock_converse.call_response import ConverseCallResponse
from .call_params import BedrockCallParams
from .dynamic_config import BedrockDynamicConfig
from .tool import BedrockTool


class BedrockCallResponse(ConverseCallResponse[BedrockTool, BedrockDynamicConfig, BedrockCallParams]):
    """The response of a call to Amazon Bedrock; `response` is the dict that `converse` returns.

    Example:
        ```python
        from ferroscope.core import bedrock


        @bedrock.call("us.anthropic.claude-haiku-4-5-20251001-v1:0")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """
