"""The messages that calls to Azure accept, of the SDKs that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..._lazy import union_of_installed
from ..base.message_param import BaseMessageParam

if TYPE_CHECKING:
    from azure.ai.inference.models import ChatRequestMessage
    from openai.types.chat import ChatCompletionMessageParam

    AzureMessageParam: TypeAlias = ChatCompletionMessageParam | ChatRequestMessage | BaseMessageParam
else:
    _OF_SDKS = ("openai.types.chat:ChatCompletionMessageParam", "azure.ai.inference.models:ChatRequestMessage")
    AzureMessageParam = union_of_installed(BaseMessageParam, *_OF_SDKS)
