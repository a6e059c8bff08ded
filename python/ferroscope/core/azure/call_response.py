"""The response of Azure's chat completions."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..._dialects.openai_chat.call_response import ChatCallResponse
from ..._dialects.sdk_model import read_model
from .tool import AzureTool

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionMessageParam,
        ChatCompletionToolParam,
        ChatCompletionUserMessageParam,
    )

    from .call_params import AzureCallParams
    from .dynamic_config import AzureDynamicConfig

    # Any: the response is of the SDK that was called with.
    _Base = ChatCallResponse[
        Any,
        AzureTool,
        ChatCompletionToolParam,
        AzureDynamicConfig,
        ChatCompletionMessageParam,
        AzureCallParams,
        ChatCompletionUserMessageParam,
    ]
else:
    # pydantic need not build a schema of the SDK's types: nothing of them is validated.
    _Base = ChatCallResponse[Any, AzureTool, Any, Any, Any, Any, Any]


class AzureCallResponse(_Base):
    """What a call of Azure returns; `response` is the `ChatCompletion` of the OpenAI SDK.

    With a client of `azure-ai-inference` it is that SDK's `ChatCompletions`.

    Example:
        ```python
        from ferroscope.core import azure


        @azure.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content)
        ```
    """

    _provider = "azure"

    @cached_property
    def _read_as_openai(self) -> Any:
        from openai.types.chat import ChatCompletion

        return read_model(ChatCompletion, json.dumps(self.response.as_dict()).encode())

    @property
    def _completion(self) -> Any:
        """The response as the OpenAI SDK has it: the other one does not know half of the members."""
        return self._read_as_openai if hasattr(self.response, "as_dict") else self.response

    @property
    def prompt_filter_results(self) -> list[Any] | None:
        """What Azure's filters say of the prompt, by prompt."""
        return getattr(self._completion, "prompt_filter_results", None)

    @property
    def content_filter_results(self) -> dict[str, Any] | None:
        """What Azure's filters say of the first choice."""
        choices = self._completion.choices
        return getattr(choices[0], "content_filter_results", None) if choices else None
