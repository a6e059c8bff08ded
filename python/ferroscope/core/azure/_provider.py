"""Azure, as a record."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

from ..._dialects.openai_chat.azure import AzureChat
from ..._engine.clients import Clients, prefers_aiohttp
from ..._engine.provider import Provider
from ...errors import MissingExtraError
from .call_response import AzureCallResponse
from .call_response_chunk import AzureCallResponseChunk
from .stream import AzureStream
from .tool import AzureTool

# Any: a client of either SDK, sync or async.


def default_client(*, asynchronous: bool) -> Any:
    """A client of what the environment names: Azure OpenAI first, then the retired inference endpoint.

    Raises:
        KeyError: It names neither.
    """
    endpoint = os.environ.get("AZURE_OPENAI_ENDPOINT")
    if not endpoint:
        return _inference_client(asynchronous=asynchronous)
    options: dict[str, Any] = _fast() if asynchronous else {}
    if os.environ.get("OPENAI_API_VERSION"):  # the older API, which asks for a version
        return (AsyncAzureOpenAI if asynchronous else AzureOpenAI)(**options)
    base_url = endpoint.rstrip("/") + "/openai/v1/"
    api_key = os.environ.get("AZURE_OPENAI_API_KEY") or os.environ.get("AZURE_OPENAI_AD_TOKEN")
    return (AsyncOpenAI if asynchronous else OpenAI)(base_url=base_url, api_key=api_key, **options)


def _fast() -> dict[str, Any]:
    """The transport over aiohttp, where that is installed; `FERROSCOPE_AIOHTTP=0` turns it off."""
    if prefers_aiohttp():
        try:
            from openai import DefaultAioHttpClient

            return {"http_client": DefaultAioHttpClient()}
        except (ImportError, RuntimeError):
            pass  # an SDK from before, or without its extra
    return {}


def _inference_client(*, asynchronous: bool) -> Any:
    if "AZURE_INFERENCE_ENDPOINT" not in os.environ:
        error = KeyError("AZURE_INFERENCE_ENDPOINT")
        error.add_note("Set AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY; the inference endpoint is retired.")
        raise error
    try:
        inference: Any = import_module("azure.ai.inference.aio" if asynchronous else "azure.ai.inference")
        credentials: Any = import_module("azure.core.credentials")
    except ImportError as error:
        raise MissingExtraError(
            "AZURE_INFERENCE_ENDPOINT needs the retired SDK `azure-ai-inference`; set AZURE_OPENAI_ENDPOINT instead, "
            "or install it with `pip install 'ferroscope[azure-inference]'`",
            name="azure.ai.inference",
        ) from error
    key = os.environ.get("AZURE_INFERENCE_CREDENTIAL")
    if key:
        credential = credentials.AzureKeyCredential(key)
    else:
        identity: Any = import_module("azure.identity.aio" if asynchronous else "azure.identity")
        credential = identity.DefaultAzureCredential()
    return inference.ChatCompletionsClient(endpoint=os.environ["AZURE_INFERENCE_ENDPOINT"], credential=credential)


AZURE = Provider(
    name="azure",
    dialect=AzureChat(),
    sdk="openai",
    response=AzureCallResponse,
    chunk=AzureCallResponseChunk,
    stream=AzureStream,
    tool=AzureTool,
    clients=Clients(
        environment=(
            "AZURE_OPENAI_ENDPOINT",
            "AZURE_OPENAI_API_KEY",
            "AZURE_OPENAI_AD_TOKEN",
            "OPENAI_API_VERSION",
            "AZURE_INFERENCE_ENDPOINT",
            "AZURE_INFERENCE_CREDENTIAL",
            "FERROSCOPE_AIOHTTP",
        ),
        sync=lambda: default_client(asynchronous=False),
        asynchronous=lambda: default_client(asynchronous=True),
    ),
)
