"""Calls to Anthropic's models: at Anthropic, and on Amazon Bedrock, Vertex AI and Microsoft Foundry.

Needs the extra `ferroscope[anthropic]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ._provider import ANTHROPIC
from .call_params import AnthropicCallParams
from .call_response import AnthropicCallResponse
from .call_response_chunk import AnthropicCallResponseChunk
from .dynamic_config import AnthropicDynamicConfig, AsyncAnthropicDynamicConfig
from .stream import AnthropicStream
from .tool import AnthropicTool, AnthropicToolConfig

if TYPE_CHECKING:
    from ._message_param import AnthropicMessageParam
    from .dynamic_config import AsyncClient, Client

require_sdk("anthropic", extra="anthropic")

anthropic_call: CallDecorator[
    AnthropicCallResponse, AnthropicStream, AnthropicCallParams | CommonCallParams, Client | AsyncClient
] = call_decorator(ANTHROPIC)
call = anthropic_call

__all__ = [
    "AnthropicCallParams",
    "AnthropicCallResponse",
    "AnthropicCallResponseChunk",
    "AnthropicDynamicConfig",
    "AnthropicMessageParam",
    "AnthropicStream",
    "AnthropicTool",
    "AnthropicToolConfig",
    "AsyncAnthropicDynamicConfig",
    "anthropic_call",
    "call",
]

__getattr__, __dir__ = lazy_names(__name__, {"AnthropicMessageParam": "._message_param"})
