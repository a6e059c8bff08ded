"""Calls to xAI's chat completions, with OpenAI's SDK.

Needs the extra `ferroscope[xai]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import TwoApiCallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ._provider import XAI
from .call_params import XAICallParams
from .call_response import XAICallResponse
from .call_response_chunk import XAICallResponseChunk
from .dynamic_config import AsyncXAIDynamicConfig, XAIDynamicConfig
from .responses import (
    XAIResponsesCallParams,
    XAIResponsesCallResponse,
    XAIResponsesCallResponseChunk,
    XAIResponsesStream,
    XAIResponsesTool,
)
from .stream import XAIStream
from .tool import XAITool

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from ..openai._message_param import OpenAIMessageParam as XAIMessageParam

require_sdk("openai", extra="xai")

xai_call: TwoApiCallDecorator[
    XAICallResponse,
    XAIStream,
    XAICallParams | CommonCallParams,
    XAIResponsesCallResponse,
    XAIResponsesStream,
    XAIResponsesCallParams | CommonCallParams,
    OpenAI | AsyncOpenAI,
] = call_decorator(XAI)
call = xai_call

__all__ = [
    "AsyncXAIDynamicConfig",
    "XAICallParams",
    "XAICallResponse",
    "XAICallResponseChunk",
    "XAIDynamicConfig",
    "XAIMessageParam",
    "XAIResponsesCallParams",
    "XAIResponsesCallResponse",
    "XAIResponsesCallResponseChunk",
    "XAIResponsesStream",
    "XAIResponsesTool",
    "XAIStream",
    "XAITool",
    "call",
    "xai_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"XAIMessageParam": "._message_param"})
