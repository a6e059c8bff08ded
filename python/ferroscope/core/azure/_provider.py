"""The record of the provider Azure, with one alternative per SDK."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import UnusableSdk
from ..._dialects.openai_responses.choice import CHAT, RESPONSES, choose_api
from ..._dialects.openai_responses.dialect import RESPONSES_METHOD, OpenAIResponses
from ..._engine.clients import Clients
from ..._engine.extras import unusable_reason
from ..._engine.provider import Provider
from ..base.quirks import Quirks
from ._openai import ENVIRONMENT, AzureOpenAISdk, async_client, sync_client
from .call_response import AzureCallResponse
from .call_response_chunk import AzureCallResponseChunk
from .responses import (
    AzureResponsesCallResponse,
    AzureResponsesCallResponseChunk,
    AzureResponsesStream,
    AzureResponsesTool,
)
from .stream import AzureStream
from .tool import AzureTool

# Azure serves models of many vendors. Some responses have fields that requests reject; some have `tool_call`.
_QUIRKS: Final = Quirks(audio=False, reasoning_back=(), finish_reasons={"tool_call": "tool_calls"})


_INFERENCE: Final = "azure.ai.inference"

_OPENAI: Final = Provider(
    name="azure",
    dialect=OpenAIChat("Azure", _QUIRKS, AzureOpenAISdk()),
    quirks=_QUIRKS,
    sdk="openai",
    response=AzureCallResponse,
    chunk=AzureCallResponseChunk,
    stream=AzureStream,
    tool=AzureTool,
    clients=Clients(environment=ENVIRONMENT, sync=sync_client, asynchronous=async_client),
    telemetry_name="azure.ai.openai",
    api=CHAT,
)


def _is_inference(client: object | None) -> bool:
    """Return whether azure-ai-inference serves a client, or the default client for None."""
    if client is not None:
        return hasattr(client, "complete") and not hasattr(client, "chat")
    return bool(os.environ.get("AZURE_INFERENCE_ENDPOINT")) and not os.environ.get("AZURE_OPENAI_ENDPOINT")


def _alternatives() -> tuple[Provider, ...]:
    """Return the record for azure-ai-inference, if that is installed."""
    try:
        from ._inference import inference_record
    except ImportError as error:
        reason = unusable_reason(error, _INFERENCE, extra="azure-inference")
        if reason is None:
            return ()
        unusable = OpenAIChat("Azure", _QUIRKS, UnusableSdk(module=_INFERENCE, reason=reason))
        return (replace(_OPENAI, dialect=unusable, accepts_client=_is_inference),)
    return (replace(inference_record(_OPENAI), accepts_client=_is_inference),)


_RESPONSES: Final = replace(
    _OPENAI,
    dialect=OpenAIResponses("Azure", _QUIRKS, RESPONSES_METHOD),
    response=AzureResponsesCallResponse,
    chunk=AzureResponsesCallResponseChunk,
    stream=AzureResponsesStream,
    tool=AzureResponsesTool,
    api=RESPONSES,
    batch_api="ferroscope._dialects.openai_chat.batch_api:AZURE_RESPONSES",
)
AZURE: Final = replace(
    _OPENAI,
    alternatives=_alternatives(),
    apis={RESPONSES: _RESPONSES},
    choose_api=choose_api,
    batch_api="ferroscope._dialects.openai_chat.batch_api:AZURE_CHAT",
)
