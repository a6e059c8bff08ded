"""Anthropic, as a record."""

from __future__ import annotations

from anthropic import Anthropic, AsyncAnthropic

from ..._dialects.anthropic.dialect import AnthropicMessages
from ..._engine.clients import Clients, prefers_aiohttp
from ..._engine.provider import Provider
from .call_response import AnthropicCallResponse
from .call_response_chunk import AnthropicCallResponseChunk
from .stream import AnthropicStream
from .tool import AnthropicTool


def fast_async_client() -> AsyncAnthropic:
    """An async client over aiohttp where that is installed: events that come alone cost less there than over httpx.

    `FERROSCOPE_AIOHTTP=0` in the environment turns that off.
    """
    # The adapter between aiohttp and httpx comes with the SDK's `aiohttp` extra, or with the SDK since 1.0.
    if prefers_aiohttp():
        try:
            from anthropic import DefaultAioHttpClient

            return AsyncAnthropic(http_client=DefaultAioHttpClient())
        except (ImportError, RuntimeError):
            pass  # an SDK from before, or without its extra
    return AsyncAnthropic()


ANTHROPIC = Provider(
    name="anthropic",
    dialect=AnthropicMessages(),
    sdk="anthropic",
    response=AnthropicCallResponse,
    chunk=AnthropicCallResponseChunk,
    stream=AnthropicStream,
    tool=AnthropicTool,
    clients=Clients(
        environment=(
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "ANTHROPIC_BASE_URL",
            "ANTHROPIC_CUSTOM_HEADERS",
            "ANTHROPIC_PROFILE",
            "FERROSCOPE_AIOHTTP",
        ),
        sync=Anthropic,
        asynchronous=fast_async_client,
    ),
    stream_error="APIStatusError",
)
