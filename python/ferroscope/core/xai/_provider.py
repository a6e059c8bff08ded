"""The record of the provider xAI.

https://docs.x.ai/docs/api-reference
"""

from __future__ import annotations

from dataclasses import replace

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import SERVER_SDK
from ..._dialects.openai_chat.server import Server
from ..._dialects.openai_responses.choice import RESPONSES
from ..._dialects.openai_responses.dialect import RESPONSES_METHOD, OpenAIResponses
from ..base.quirks import Quirks
from ..openai._provider import OPENAI, OPENAI_RESPONSES
from .call_response import XAICallResponse
from .call_response_chunk import XAICallResponseChunk
from .responses import (
    XAIResponsesCallResponse,
    XAIResponsesCallResponseChunk,
    XAIResponsesStream,
    XAIResponsesTool,
)
from .stream import XAIStream
from .tool import XAITool

_QUIRKS = Quirks(reasoning_back=("reasoning_content", "encrypted_content"), audio=False)
_SERVER = Server(name="xai", base_url="https://api.x.ai/v1", api_key_env="XAI_API_KEY", quirks=_QUIRKS)

_IDENTITY = {**_SERVER.identity(), "telemetry_name": "x_ai"}
_RESPONSES = replace(
    OPENAI_RESPONSES,
    dialect=OpenAIResponses("xAI", _QUIRKS, RESPONSES_METHOD),
    response=XAIResponsesCallResponse,
    chunk=XAIResponsesCallResponseChunk,
    stream=XAIResponsesStream,
    tool=XAIResponsesTool,
    **_IDENTITY,
)
XAI = replace(
    OPENAI,
    dialect=OpenAIChat("xAI", _QUIRKS, SERVER_SDK),
    response=XAICallResponse,
    chunk=XAICallResponseChunk,
    stream=XAIStream,
    tool=XAITool,
    apis={RESPONSES: _RESPONSES},
    **_IDENTITY,
)
