"""The record of the provider OpenAI."""

from __future__ import annotations

from dataclasses import replace

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import direct_rules
from ..._dialects.openai_responses.choice import CHAT, RESPONSES, choose_api
from ..._dialects.openai_responses.dialect import OpenAIResponses
from ..._engine.clients import Clients
from ..._engine.provider import Provider
from ..base.quirks import Quirks
from .call_response import OpenAICallResponse
from .call_response_chunk import OpenAICallResponseChunk
from .responses import (
    OpenAIResponsesCallResponse,
    OpenAIResponsesCallResponseChunk,
    OpenAIResponsesStream,
    OpenAIResponsesTool,
)
from .stream import OpenAIStream
from .tool import OpenAITool

_QUIRKS = Quirks(documents=True)
_ENVIRONMENT = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")

_CHAT = Provider(
    name="openai",
    dialect=OpenAIChat(quirks=_QUIRKS),
    quirks=_QUIRKS,
    sdk="openai",
    response=OpenAICallResponse,
    chunk=OpenAICallResponseChunk,
    stream=OpenAIStream,
    tool=OpenAITool,
    clients=Clients.of_sdk("openai:OpenAI", "openai:AsyncOpenAI", _ENVIRONMENT),
    direct=direct_rules("chat.completions.create", {"messages"}),
)

OPENAI_RESPONSES = replace(
    _CHAT,
    dialect=OpenAIResponses(quirks=_QUIRKS),
    response=OpenAIResponsesCallResponse,
    chunk=OpenAIResponsesCallResponseChunk,
    stream=OpenAIResponsesStream,
    tool=OpenAIResponsesTool,
    api=RESPONSES,
    direct=direct_rules("responses.create", {"input"}),
    batch_api="ferroscope._dialects.openai_chat.batch_api:RESPONSES",
)
OPENAI = replace(
    _CHAT,
    api=CHAT,
    apis={RESPONSES: OPENAI_RESPONSES},
    choose_api=choose_api,
    batch_api="ferroscope._dialects.openai_chat.batch_api:CHAT",
)
