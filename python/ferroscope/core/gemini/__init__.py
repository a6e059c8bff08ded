"""Calls to the Gemini API under the names of v1's `gemini`; deprecated in favour of `ferroscope.core.google`.

Needs the extra `ferroscope[gemini]`. Google has abandoned the SDK that v1 used (google-generativeai); calls use
google-genai.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..._lazy import lazy_names
from ..base._prompts.callers import callers_level
from ..base.call_params import CommonCallParams
from ._provider import GEMINI
from .call_params import GeminiCallParams
from .call_response import GeminiCallResponse
from .call_response_chunk import GeminiCallResponseChunk
from .dynamic_config import GeminiDynamicConfig
from .stream import GeminiStream
from .tool import GeminiTool

if TYPE_CHECKING:
    from google.genai import Client

    from ..google._message_param import GoogleMessageParam as GeminiMessageParam

require_sdk("google.genai", extra="gemini")
warnings.warn(
    "`ferroscope.core.gemini` is deprecated, because Google has abandoned the SDK that v1 used for it. Use "
    "`ferroscope.core.google` instead.",
    DeprecationWarning,
    stacklevel=callers_level(),
)

gemini_call: CallDecorator[GeminiCallResponse, GeminiStream, GeminiCallParams | CommonCallParams, Client] = (
    call_decorator(GEMINI)
)
call = gemini_call

__all__ = [
    "GeminiCallParams",
    "GeminiCallResponse",
    "GeminiCallResponseChunk",
    "GeminiDynamicConfig",
    "GeminiMessageParam",
    "GeminiStream",
    "GeminiTool",
    "call",
    "gemini_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"GeminiMessageParam": "._message_param"})
