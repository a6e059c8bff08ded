"""The response of a call to LiteLLM."""

from __future__ import annotations

from functools import cached_property

import orjson

from ..._sdk_internals import reported_cost
from ...prices import usage_json
from ..openai.call_response import OpenAICallResponse


class LiteLLMCallResponse(OpenAICallResponse):
    """The response of a call to LiteLLM; `response` is its `ModelResponse`.

    Example:
        ```python
        from ferroscope.core import litellm


        @litellm.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """

    @cached_property
    def _usage_json(self) -> bytes | None:
        usage, cost = usage_json(self.usage), reported_cost(self.response)
        return usage if usage is None or cost is None else orjson.dumps({**orjson.loads(usage), "cost": cost})
