"""Calls to Mistral's chat completions.

Needs the extra `ferroscope[mistral]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ._provider import MISTRAL
from .call_params import MistralCallParams
from .call_response import MistralCallResponse
from .call_response_chunk import MistralCallResponseChunk
from .dynamic_config import MistralDynamicConfig
from .stream import MistralStream
from .tool import MistralTool

if TYPE_CHECKING:
    from mistralai.client import Mistral

    from ._message_param import MistralMessageParam

require_sdk("mistralai", extra="mistral")

mistral_call: CallDecorator[MistralCallResponse, MistralStream, MistralCallParams | CommonCallParams, Mistral] = (
    call_decorator(MISTRAL)
)
call = mistral_call

__all__ = [
    "MistralCallParams",
    "MistralCallResponse",
    "MistralCallResponseChunk",
    "MistralDynamicConfig",
    "MistralMessageParam",
    "MistralStream",
    "MistralTool",
    "call",
    "mistral_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"MistralMessageParam": "._message_param"})
