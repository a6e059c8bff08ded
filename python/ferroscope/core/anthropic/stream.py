"""The stream of Anthropic's Messages API."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..base.stream import BaseStream
from .call_response import AnthropicCallResponse
from .call_response_chunk import AnthropicCallResponseChunk, FinishReason
from .tool import AnthropicTool

if TYPE_CHECKING:
    from anthropic.types import MessageParam, ToolParam

    from .call_params import AnthropicCallParams
    from .dynamic_config import AnthropicDynamicConfig, AsyncAnthropicDynamicConfig

    _Base = BaseStream[
        AnthropicCallResponse,
        AnthropicCallResponseChunk,
        MessageParam,
        MessageParam,
        MessageParam,
        MessageParam,
        AnthropicTool,
        ToolParam,
        AsyncAnthropicDynamicConfig | AnthropicDynamicConfig,
        AnthropicCallParams,
        FinishReason,
    ]
else:
    _Base = BaseStream


class AnthropicStream(_Base):
    """The stream of a call to Anthropic.

    Example:
        ```python
        from ferroscope.core import anthropic


        @anthropic.call("claude-haiku-4-5", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.output_tokens)
        ```
    """

    @property
    def thinking(self) -> str:
        """The model's thinking received so far; empty if there is none."""
        return self._run.reasoning

    @property
    def signature(self) -> str:
        """The signature of the first thinking block; empty until it is received."""
        return cast("AnthropicCallResponse", self._run.response()).signature or ""
