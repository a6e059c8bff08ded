"""The record of the provider Azure, which two SDKs serve."""

from __future__ import annotations

from typing import Final

from ..._dialects.openai_sdk.azure import AZURE_SERVICE, is_inference
from ..._dialects.openai_sdk.other_sdk import OtherSdk
from ..._dialects.openai_sdk.record import two_api_record
from ..base.quirks import Quirks
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

AZURE: Final = two_api_record(
    "azure",
    AZURE_SERVICE,
    # Azure serves models of many vendors. Some responses have fields that requests reject; some have `tool_call`.
    Quirks(audio=False, reasoning_back=(), finish_reasons={"tool_call": "tool_calls"}),
    (AzureCallResponse, AzureCallResponseChunk, AzureStream, AzureTool),
    (AzureResponsesCallResponse, AzureResponsesCallResponseChunk, AzureResponsesStream, AzureResponsesTool),
    other_sdk=OtherSdk("azure.ai.inference", "azure-inference", "ferroscope.core.azure._inference", is_inference),
)
