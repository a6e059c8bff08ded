"""Calls to OpenAI's chat completions and Responses APIs.

Needs the extra `ferroscope[openai]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import TwoApiCallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ..base.types import FinishReason
from ._provider import OPENAI
from .call_params import OpenAICallParams
from .call_response import OpenAICallResponse
from .call_response_chunk import OpenAICallResponseChunk
from .dynamic_config import AsyncOpenAIDynamicConfig, OpenAIDynamicConfig
from .responses import (
    AsyncOpenAIResponsesDynamicConfig,
    OpenAIResponsesCallParams,
    OpenAIResponsesCallResponse,
    OpenAIResponsesCallResponseChunk,
    OpenAIResponsesDynamicConfig,
    OpenAIResponsesStream,
    OpenAIResponsesTool,
)
from .stream import OpenAIStream
from .tool import OpenAITool, OpenAIToolConfig

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from ._message_param import OpenAIMessageParam

require_sdk("openai", extra="openai")

openai_call: TwoApiCallDecorator[
    OpenAICallResponse,
    OpenAIStream,
    OpenAICallParams | CommonCallParams,
    OpenAIResponsesCallResponse,
    OpenAIResponsesStream,
    OpenAIResponsesCallParams | CommonCallParams,
    OpenAI | AsyncOpenAI,
] = call_decorator(OPENAI)
call = openai_call

__all__ = [
    "AsyncOpenAIDynamicConfig",
    "AsyncOpenAIResponsesDynamicConfig",
    "FinishReason",
    "OpenAICallParams",
    "OpenAICallResponse",
    "OpenAICallResponseChunk",
    "OpenAIDynamicConfig",
    "OpenAIMessageParam",
    "OpenAIResponsesCallParams",
    "OpenAIResponsesCallResponse",
    "OpenAIResponsesCallResponseChunk",
    "OpenAIResponsesDynamicConfig",
    "OpenAIResponsesStream",
    "OpenAIResponsesTool",
    "OpenAIStream",
    "OpenAITool",
    "OpenAIToolConfig",
    "call",
    "openai_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"OpenAIMessageParam": "._message_param"})
