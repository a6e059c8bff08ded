"""The record of the provider Cohere."""

from __future__ import annotations

from typing import Any

from ..._dialects.cohere.dialect import CohereChat
from ..._dialects.openai_chat.sdk import LazySdk
from ..._engine.clients import Clients
from ..._engine.provider import Provider
from ..base.quirks import Quirks
from .call_response import CohereCallResponse
from .call_response_chunk import CohereCallResponseChunk
from .stream import CohereStream
from .tool import CohereTool

_ADAPTER = "ferroscope._dialects.cohere.sdk"


def _once(client: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return client, {**kwargs, "request_options": {**(kwargs.get("request_options") or {}), "max_retries": 0}}


COHERE = Provider(
    name="cohere",
    dialect=CohereChat(LazySdk(f"{_ADAPTER}:Sdk")),
    sdk="cohere",
    response=CohereCallResponse,
    chunk=CohereCallResponseChunk,
    stream=CohereStream,
    tool=CohereTool,
    clients=Clients.of_adapter(_ADAPTER, ("CO_API_KEY", "CO_API_URL")),
    quirks=Quirks(empty_parameters=True),
    stream_error="APIStatusError",
    once=_once,
    adapter_module=_ADAPTER,
)
