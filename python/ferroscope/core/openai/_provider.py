"""The record of the provider OpenAI."""

from __future__ import annotations

from ..._dialects.openai_responses.choice import RESPONSES
from ..._dialects.openai_sdk.record import OPENAI_SERVICE, two_api_record
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

OPENAI = two_api_record(
    "openai",
    OPENAI_SERVICE,
    Quirks(documents=True),
    (OpenAICallResponse, OpenAICallResponseChunk, OpenAIStream, OpenAITool),
    (OpenAIResponsesCallResponse, OpenAIResponsesCallResponseChunk, OpenAIResponsesStream, OpenAIResponsesTool),
)
OPENAI_RESPONSES = OPENAI.apis[RESPONSES]
