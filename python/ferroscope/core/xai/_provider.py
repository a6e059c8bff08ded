"""The record of the provider xAI.

https://docs.x.ai/docs/api-reference
"""

from __future__ import annotations

from dataclasses import replace

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import SERVER_SDK
from ..._dialects.openai_chat.server import Server
from ..._dialects.openai_responses.choice import CHAT, RESPONSES, choose_api
from ..._dialects.openai_responses.dialect import RESPONSES_METHOD, OpenAIResponses
from ..._engine.provider import Provider
from ..base.quirks import Quirks
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

_SERVER = Server(
    name="xai",
    base_url="https://api.x.ai/v1",
    api_key_env="XAI_API_KEY",
    quirks=Quirks(reasoning_back=("reasoning_content", "encrypted_content"), audio=False),
)

_CHAT = Provider(
    name=_SERVER.name,
    dialect=OpenAIChat("xAI", _SERVER.quirks, SERVER_SDK),
    sdk="openai",
    response=XAICallResponse,
    chunk=XAICallResponseChunk,
    stream=XAIStream,
    tool=XAITool,
    clients=_SERVER.clients(),
    quirks=_SERVER.quirks,
    telemetry_name="x_ai",
)
_RESPONSES = replace(
    _CHAT,
    dialect=OpenAIResponses("xAI", _SERVER.quirks, RESPONSES_METHOD),
    response=XAIResponsesCallResponse,
    chunk=XAIResponsesCallResponseChunk,
    stream=XAIResponsesStream,
    tool=XAIResponsesTool,
    api=RESPONSES,
)
XAI = replace(_CHAT, api=CHAT, apis={RESPONSES: _RESPONSES}, choose_api=choose_api)
