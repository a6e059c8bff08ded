"""The types of the two SDKs for Azure, of which at least one must be installed."""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from operator import or_
from typing import TYPE_CHECKING, Any, TypeAlias

from ...errors import MissingExtraError
from ..base.message_param import BaseMessageParam

if TYPE_CHECKING:
    from azure.ai.inference import ChatCompletionsClient
    from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
    from azure.ai.inference.models import ChatRequestMessage
    from openai import AsyncOpenAI, OpenAI
    from openai.types.chat import ChatCompletionMessageParam

    # `AzureOpenAI` is a subclass of `OpenAI`.
    Client: TypeAlias = OpenAI | ChatCompletionsClient
    AsyncClient: TypeAlias = AsyncOpenAI | AsyncChatCompletionsClient
    AzureMessageParam: TypeAlias = ChatCompletionMessageParam | ChatRequestMessage | BaseMessageParam
else:

    def _union(*names: str) -> tuple[Any, ...]:
        """Return the classes that can be imported."""
        found = []
        for name in names:
            module, _, attribute = name.rpartition(".")
            try:
                found.append(getattr(import_module(module), attribute))
            except ImportError:
                continue
        return tuple(found)

    _clients = _union("openai.OpenAI", "azure.ai.inference.ChatCompletionsClient")
    if not _clients:
        raise MissingExtraError(
            "calls to Azure require an SDK: install OpenAI's with `pip install 'ferroscope[azure]'`, or "
            "azure-ai-inference, which Microsoft has retired, with `pip install 'ferroscope[azure-inference]'`",
            name="openai",
        )
    Client = reduce(or_, _clients)
    AsyncClient = reduce(or_, _union("openai.AsyncOpenAI", "azure.ai.inference.aio.ChatCompletionsClient"))
    AzureMessageParam = reduce(
        or_,
        _union("openai.types.chat.ChatCompletionMessageParam", "azure.ai.inference.models.ChatRequestMessage"),
        BaseMessageParam,
    )
