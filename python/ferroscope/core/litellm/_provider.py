"""The record of the provider LiteLLM."""

from __future__ import annotations

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import LazySdk
from ..._engine.clients import Clients
from ..._engine.provider import Provider
from ..base.quirks import Quirks
from ._no_client import NoClient
from .call_response import LiteLLMCallResponse
from .call_response_chunk import LiteLLMCallResponseChunk
from .stream import LiteLLMStream
from .tool import LiteLLMTool

_ADAPTER = "ferroscope.core.litellm._sdk"
_QUIRKS = Quirks(cache_control=True)

LITELLM = Provider(
    name="litellm",
    dialect=OpenAIChat("LiteLLM", _QUIRKS, LazySdk(f"{_ADAPTER}:Sdk")),
    sdk="litellm",
    response=LiteLLMCallResponse,
    chunk=LiteLLMCallResponseChunk,
    stream=LiteLLMStream,
    tool=LiteLLMTool,
    clients=Clients((), NoClient, NoClient),
    quirks=_QUIRKS,
    once=lambda client, kwargs: (client, {**kwargs, "max_retries": 0, "num_retries": 0}),
    adapter_module=_ADAPTER,
)
