"""Calls through LiteLLM, with its model names.

Needs the extra `ferroscope[litellm]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ._provider import LITELLM
from .call_params import LiteLLMCallParams
from .call_response import LiteLLMCallResponse
from .call_response_chunk import LiteLLMCallResponseChunk
from .dynamic_config import AsyncLiteLLMDynamicConfig, LiteLLMDynamicConfig
from .stream import LiteLLMStream
from .tool import LiteLLMTool

if TYPE_CHECKING:
    from ..openai._message_param import OpenAIMessageParam as LiteLLMMessageParam

require_sdk("litellm", extra="litellm")

litellm_call: CallDecorator[LiteLLMCallResponse, LiteLLMStream, LiteLLMCallParams | CommonCallParams, object] = (
    call_decorator(LITELLM)
)
call = litellm_call

__all__ = [
    "AsyncLiteLLMDynamicConfig",
    "LiteLLMCallParams",
    "LiteLLMCallResponse",
    "LiteLLMCallResponseChunk",
    "LiteLLMDynamicConfig",
    "LiteLLMMessageParam",
    "LiteLLMStream",
    "LiteLLMTool",
    "call",
    "litellm_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"LiteLLMMessageParam": "._message_param"})
