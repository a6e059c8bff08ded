"""Servers that speak OpenAI's chat completions, as rows of data."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .._dialects.openai_chat.dialect import OpenAIChat
from .._dialects.openai_chat.server import Server
from .._engine.provider import Provider
from ..prices import FREE
from .openai._provider import OPENAI

_ROWS: Final = (
    Server(
        name="ollama",
        base_url="http://localhost:11434/v1",
        base_url_env="FERROSCOPE_OLLAMA_URL",
        prices=FREE,
    ),
    Server(
        name="vllm",
        base_url="http://localhost:8000/v1",
        base_url_env="FERROSCOPE_VLLM_URL",
        prices=FREE,
    ),
)

SERVERS: Final = {row.name: row for row in _ROWS}


def server_record(server: Server) -> Provider:
    """Return the record of a server."""
    return replace(
        OPENAI,
        name=server.name,
        prices=server.prices,
        quirks=server.quirks,
        dialect=OpenAIChat(label=server.name, quirks=server.quirks),
        clients=server.clients(),
    )
