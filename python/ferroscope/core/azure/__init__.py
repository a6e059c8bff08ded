"""Calls of models at Azure, with the OpenAI SDK's clients or the retired `azure-ai-inference`.

Needs the extra `ferroscope[azure]`.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from ...errors import MissingExtraError

try:
    from openai.types.chat import ChatCompletionMessageParam
except ImportError as error:
    raise MissingExtraError(
        "calls of Azure need the SDK of OpenAI: install it with `pip install 'ferroscope[azure]'`", name="openai"
    ) from error

from ..._engine.decorator import call_decorator
from ..._engine.typing import CallDecorator
from ..base.call_params import CommonCallParams
from ..base.message_param import BaseMessageParam
from ._provider import AZURE
from .call_params import AzureCallParams
from .call_response import AzureCallResponse
from .call_response_chunk import AzureCallResponseChunk
from .dynamic_config import AsyncAzureDynamicConfig, AzureDynamicConfig
from .stream import AzureStream
from .tool import AzureTool, AzureToolConfig

AzureMessageParam: TypeAlias = ChatCompletionMessageParam | BaseMessageParam

# Any: a client of either SDK; the one of `azure-ai-inference` need not be installed.
azure_call = cast(
    "CallDecorator[AzureCallResponse, AzureStream, AzureCallParams | CommonCallParams, Any]",
    call_decorator(AZURE),
)
call = azure_call

__all__ = [
    "AsyncAzureDynamicConfig",
    "AzureCallParams",
    "AzureCallResponse",
    "AzureCallResponseChunk",
    "AzureDynamicConfig",
    "AzureMessageParam",
    "AzureStream",
    "AzureTool",
    "AzureToolConfig",
    "azure_call",
    "call",
]
