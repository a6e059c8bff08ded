"""Calls to models on Azure: with OpenAI's SDK, or with azure-ai-inference, which Microsoft has retired.

Needs the extra `ferroscope[azure]`, or `ferroscope[azure-inference]` for the retired SDK. Default clients use the
environment variables `AZURE_OPENAI_ENDPOINT`, `AZURE_OPENAI_API_KEY` and, for the dated API, `OPENAI_API_VERSION`. If
only `AZURE_INFERENCE_ENDPOINT` is set, they use it and `AZURE_INFERENCE_CREDENTIAL`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_any_sdk
from ..._engine.typing import TwoApiCallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ._provider import AZURE
from .call_params import AzureCallParams
from .call_response import AzureCallResponse
from .call_response_chunk import AzureCallResponseChunk
from .dynamic_config import AsyncAzureDynamicConfig, AzureDynamicConfig
from .responses import (
    AzureResponsesCallParams,
    AzureResponsesCallResponse,
    AzureResponsesCallResponseChunk,
    AzureResponsesStream,
    AzureResponsesTool,
)
from .stream import AzureStream
from .tool import AzureTool, AzureToolConfig

if TYPE_CHECKING:
    from ._message_param import AzureMessageParam
    from .dynamic_config import AsyncClient, Client

# Microsoft has retired the second one.
require_any_sdk({"openai": "azure", "azure.ai.inference": "azure-inference"})

azure_call: TwoApiCallDecorator[
    AzureCallResponse,
    AzureStream,
    AzureCallParams | CommonCallParams,
    AzureResponsesCallResponse,
    AzureResponsesStream,
    AzureResponsesCallParams | CommonCallParams,
    Client | AsyncClient,
] = call_decorator(AZURE)
call = azure_call

__all__ = [
    "AsyncAzureDynamicConfig",
    "AzureCallParams",
    "AzureCallResponse",
    "AzureCallResponseChunk",
    "AzureDynamicConfig",
    "AzureMessageParam",
    "AzureResponsesCallParams",
    "AzureResponsesCallResponse",
    "AzureResponsesCallResponseChunk",
    "AzureResponsesStream",
    "AzureResponsesTool",
    "AzureStream",
    "AzureTool",
    "AzureToolConfig",
    "azure_call",
    "call",
]

__getattr__, __dir__ = lazy_names(__name__, {"AzureMessageParam": "._message_param"})
