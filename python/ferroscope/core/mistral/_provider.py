"""The record of the provider Mistral."""

from __future__ import annotations

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import LazySdk
from ..._engine.clients import Clients
from ..._engine.provider import Provider
from ..base.quirks import Quirks
from .call_response import MistralCallResponse
from .call_response_chunk import MistralCallResponseChunk
from .stream import MistralStream
from .tool import MistralTool

_ADAPTER = "ferroscope.core.mistral._sdk"
# https://docs.mistral.ai/api/endpoint/chat; the API accepts only tool call ids of nine letters and digits. It refuses a
# user message after a tool result (code 3230), and an assistant message at the end without `prefix`.
_QUIRKS = Quirks(
    stream_options=False,
    finish_reasons={"model_length": "length"},
    tool_choice="any",
    empty_parameters=True,
    audio=False,
    image_detail=False,
    documents=False,
    tool_ids="[a-zA-Z0-9]{9}",
    after_tools="OK.",
    prefix=True,
    reasoning_back=(),
)

MISTRAL = Provider(
    name="mistral",
    dialect=OpenAIChat("Mistral", _QUIRKS, LazySdk(f"{_ADAPTER}:Sdk")),
    sdk="mistralai",
    response=MistralCallResponse,
    chunk=MistralCallResponseChunk,
    stream=MistralStream,
    tool=MistralTool,
    clients=Clients.of_adapter(_ADAPTER, ("MISTRAL_API_KEY", "MISTRAL_BASE_URL")),
    quirks=_QUIRKS,
    once=lambda client, kwargs: (client, {**kwargs, "retries": None}),
    stream_error="APIStatusError",
    errors={"MistralError": "APIError", "NoResponseError": "APIConnectionError"},
    telemetry_name="mistral_ai",
    adapter_module=_ADAPTER,
)
