"""The response of Google's Gemini models."""

from __future__ import annotations

from ..._dialects.gemini.call_response import ContentCallResponse
from .call_params import GoogleCallParams
from .dynamic_config import GoogleDynamicConfig
from .tool import GoogleTool


class GoogleCallResponse(ContentCallResponse[GoogleTool, GoogleDynamicConfig, GoogleCallParams]):
    """The response of a call to Google; `response` is the SDK's `GenerateContentResponse`.

    Example:
        ```python
        from ferroscope.core import google


        @google.call("gemini-2.5-flash")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """
