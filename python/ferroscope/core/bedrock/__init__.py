"""Calls to the models on Amazon Bedrock, through the Converse API.

Needs the extra `ferroscope[bedrock]`.
"""

from __future__ import annotations

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..base.call_params import CommonCallParams
from ._message_param import BedrockMessageParam
from ._provider import BEDROCK
from ._types import AssistantMessageTypeDef, Client, UserMessageTypeDef
from .call_params import BedrockCallParams
from .call_response import BedrockCallResponse
from .call_response_chunk import BedrockCallResponseChunk
from .dynamic_config import AsyncBedrockDynamicConfig, BedrockDynamicConfig
from .stream import BedrockStream
from .tool import BedrockTool, BedrockToolConfig

require_sdk("boto3", extra="bedrock")

bedrock_call: CallDecorator[BedrockCallResponse, BedrockStream, BedrockCallParams | CommonCallParams, Client] = (
    call_decorator(BEDROCK)
)
call = bedrock_call

__all__ = [
    "AssistantMessageTypeDef",
    "AsyncBedrockDynamicConfig",
    "BedrockCallParams",
    "BedrockCallResponse",
    "BedrockCallResponseChunk",
    "BedrockDynamicConfig",
    "BedrockMessageParam",
    "BedrockStream",
    "BedrockTool",
    "BedrockToolConfig",
    "UserMessageTypeDef",
    "bedrock_call",
    "call",
]
