"""The stream of OpenAI's chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.stream import BaseStream
from ..base.types import FinishReason
from .call_response import OpenAICallResponse
from .call_response_chunk import OpenAICallResponseChunk
from .tool import OpenAITool

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionAssistantMessageParam,
        ChatCompletionMessageParam,
        ChatCompletionToolMessageParam,
        ChatCompletionToolParam,
        ChatCompletionUserMessageParam,
    )

    from .call_params import OpenAICallParams
    from .dynamic_config import OpenAIDynamicConfig

    _Base = BaseStream[
        OpenAICallResponse,
        OpenAICallResponseChunk,
        ChatCompletionUserMessageParam,
        ChatCompletionAssistantMessageParam,
        ChatCompletionToolMessageParam,
        ChatCompletionMessageParam,
        OpenAITool,
        ChatCompletionToolParam,
        OpenAIDynamicConfig,
        OpenAICallParams,
        FinishReason,
    ]
else:
    _Base = BaseStream


class OpenAIStream(_Base):
    """What a streamed call of OpenAI returns.

    Example:
        ```python
        from ferroscope.core import openai


        @openai.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """

    @property
    def audio_id(self) -> str | None:
        """The id of the sound of the answer, by which later messages can mean it."""
        response: Any = self._run.response()  # Any: an OpenAICallResponse
        choices = response.response.choices
        return getattr(getattr(choices[0].message, "audio", None), "id", None) if choices else None

    @property
    def thinking(self) -> str:
        """What the model has thought so far, of servers that show it; empty otherwise."""
        return self._run.reasoning
