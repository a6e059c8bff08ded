"""OpenAI, as a record."""

from __future__ import annotations

from openai import AsyncOpenAI, OpenAI

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import aiohttp_client
from ..._engine.clients import Clients
from ..._engine.provider import Provider
from .call_response import OpenAICallResponse
from .call_response_chunk import OpenAICallResponseChunk
from .stream import OpenAIStream
from .tool import OpenAITool


def fast_async_client(base_url: str | None = None, api_key: str | None = None) -> AsyncOpenAI:
    """An async client over aiohttp where that is installed: events that come alone cost less there than over httpx.

    `FERROSCOPE_AIOHTTP=0` in the environment turns that off.
    """
    return AsyncOpenAI(base_url=base_url, api_key=api_key, http_client=aiohttp_client())


OPENAI = Provider(
    name="openai",
    dialect=OpenAIChat(),
    sdk="openai",
    response=OpenAICallResponse,
    chunk=OpenAICallResponseChunk,
    stream=OpenAIStream,
    tool=OpenAITool,
    clients=Clients(
        environment=(
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
            "OPENAI_ORG_ID",
            "OPENAI_PROJECT_ID",
            "FERROSCOPE_AIOHTTP",
        ),
        sync=OpenAI,
        asynchronous=fast_async_client,
    ),
)
