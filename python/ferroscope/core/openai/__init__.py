"""Calls of OpenAI's chat completions, and of servers that speak them.

Needs the extra `ferroscope[openai]`.
"""

from __future__ import annotations

from typing import TypeAlias, cast

from ...errors import MissingExtraError

try:
    from openai import AsyncOpenAI, OpenAI
    from openai.types.chat import ChatCompletionMessageParam
except ImportError as error:
    raise MissingExtraError(
        "calls of OpenAI need its SDK: install it with `pip install 'ferroscope[openai]'`", name="openai"
    ) from error

from ..._engine.decorator import call_decorator
from ..._engine.typing import CallDecorator
from ..base.call_params import CommonCallParams
from ..base.message_param import BaseMessageParam
from ..base.types import FinishReason
from ._provider import OPENAI
from .call_params import OpenAICallParams
from .call_response import OpenAICallResponse
from .call_response_chunk import OpenAICallResponseChunk
from .dynamic_config import AsyncOpenAIDynamicConfig, OpenAIDynamicConfig
from .stream import OpenAIStream
from .tool import OpenAITool, OpenAIToolConfig

OpenAIMessageParam: TypeAlias = ChatCompletionMessageParam | BaseMessageParam

openai_call = cast(
    "CallDecorator[OpenAICallResponse, OpenAIStream, OpenAICallParams | CommonCallParams, OpenAI | AsyncOpenAI]",
    call_decorator(OPENAI),
)
call = openai_call

__all__ = [
    "AsyncOpenAIDynamicConfig",
    "FinishReason",
    "OpenAICallParams",
    "OpenAICallResponse",
    "OpenAICallResponseChunk",
    "OpenAIDynamicConfig",
    "OpenAIMessageParam",
    "OpenAIStream",
    "OpenAITool",
    "OpenAIToolConfig",
    "call",
    "openai_call",
]
