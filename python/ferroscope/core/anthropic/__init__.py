"""Calls to Anthropic's models: at Anthropic, and on Amazon Bedrock, Vertex AI and Microsoft Foundry.

Needs the extra `ferroscope[anthropic]`.
"""

from __future__ import annotations

from typing import TypeAlias, cast

from ...errors import MissingExtraError

try:
    from anthropic import Anthropic, AsyncAnthropic
    from anthropic.lib.bedrock import AnthropicBedrock, AsyncAnthropicBedrock
    from anthropic.lib.vertex import AnthropicVertex, AsyncAnthropicVertex
    from anthropic.types import MessageParam
except ImportError as error:
    raise MissingExtraError(
        "calls to Anthropic require its SDK: install it with `pip install 'ferroscope[anthropic]'`", name="anthropic"
    ) from error

from ..._engine.decorator import call_decorator
from ..._engine.typing import CallDecorator
from ..base.call_params import CommonCallParams
from ..base.message_param import BaseMessageParam
from ._provider import ANTHROPIC
from .call_params import AnthropicCallParams
from .call_response import AnthropicCallResponse
from .call_response_chunk import AnthropicCallResponseChunk
from .dynamic_config import AnthropicDynamicConfig, AsyncAnthropicDynamicConfig
from .stream import AnthropicStream
from .tool import AnthropicTool, AnthropicToolConfig

AnthropicMessageParam: TypeAlias = MessageParam | BaseMessageParam

# A Foundry client is a subclass of `Anthropic`.
_Client: TypeAlias = (
    Anthropic | AsyncAnthropic | AnthropicBedrock | AsyncAnthropicBedrock | AnthropicVertex | AsyncAnthropicVertex
)

anthropic_call = cast(
    "CallDecorator[AnthropicCallResponse, AnthropicStream, AnthropicCallParams | CommonCallParams, _Client]",
    call_decorator(ANTHROPIC),
)
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
