"""Calls to Google's Gemini models, through the Gemini API and Vertex AI.

Needs the extra `ferroscope[google]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ._provider import GOOGLE
from .call_params import GoogleCallParams
from .call_response import GoogleCallResponse
from .call_response_chunk import GoogleCallResponseChunk
from .dynamic_config import GoogleDynamicConfig
from .stream import GoogleStream
from .tool import GoogleTool

if TYPE_CHECKING:
    from google.genai import Client

    from ._message_param import GoogleMessageParam

require_sdk("google.genai", extra="google")

google_call: CallDecorator[GoogleCallResponse, GoogleStream, GoogleCallParams | CommonCallParams, Client] = (
    call_decorator(GOOGLE)
)
call = google_call

__all__ = [
    "GoogleCallParams",
    "GoogleCallResponse",
    "GoogleCallResponseChunk",
    "GoogleDynamicConfig",
    "GoogleMessageParam",
    "GoogleStream",
    "GoogleTool",
    "call",
    "google_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"GoogleMessageParam": "._message_param"})
