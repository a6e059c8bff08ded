"""The record of the provider Groq."""

from __future__ import annotations

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import OpenAISdk
from ..._engine.clients import Clients
from ..._engine.direct.rules import DirectRules
from ..._engine.provider import Provider
from ..base.quirks import Quirks
from .call_response import GroqCallResponse
from .call_response_chunk import GroqCallResponseChunk
from .stream import GroqStream
from .tool import GroqTool

# The SDK's method has no `stream_options`: the last chunk reports usage in `x_groq`.
_QUIRKS = Quirks(
    reasoning_fields=("reasoning",),
    usage_in="x_groq",
    stream_options=False,
    tool_choice="name",
    audio=False,
    image_detail=False,
)

GROQ = Provider(
    name="groq",
    dialect=OpenAIChat("Groq", _QUIRKS, OpenAISdk("groq.types.chat:ChatCompletion")),
    sdk="groq",
    response=GroqCallResponse,
    chunk=GroqCallResponseChunk,
    stream=GroqStream,
    tool=GroqTool,
    clients=Clients.of_sdk("groq:Groq", "groq:AsyncGroq", ("GROQ_API_KEY", "GROQ_BASE_URL")),
    quirks=_QUIRKS,
    direct=DirectRules(
        frozenset({"Groq", "AsyncGroq"}), "chat.completions.create", frozenset({"messages"}), request_id=""
    ),
)
