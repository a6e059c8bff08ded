"""Calls to Groq's chat completions.

Needs the extra `ferroscope[groq]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ._provider import GROQ
from .call_params import GroqCallParams
from .call_response import GroqCallResponse
from .call_response_chunk import GroqCallResponseChunk
from .dynamic_config import AsyncGroqDynamicConfig, GroqDynamicConfig
from .stream import GroqStream
from .tool import GroqTool

if TYPE_CHECKING:
    from groq import AsyncGroq, Groq

    from ._message_param import GroqMessageParam

require_sdk("groq", extra="groq")

groq_call: CallDecorator[GroqCallResponse, GroqStream, GroqCallParams | CommonCallParams, Groq | AsyncGroq] = (
    call_decorator(GROQ)
)
call = groq_call

__all__ = [
    "AsyncGroqDynamicConfig",
    "GroqCallParams",
    "GroqCallResponse",
    "GroqCallResponseChunk",
    "GroqDynamicConfig",
    "GroqMessageParam",
    "GroqStream",
    "GroqTool",
    "call",
    "groq_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"GroqMessageParam": "._message_param"})
