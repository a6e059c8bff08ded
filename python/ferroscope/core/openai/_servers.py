"""Servers that speak OpenAI's chat completions, as rows of data."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Final

from ..._dialects.openai_chat.dialect import OpenAIChat
from ..._dialects.openai_chat.sdk import async_client, sync_client
from ..._engine.clients import Clients
from ..._engine.provider import Provider
from ...errors import MissingApiKeyError
from ...prices import FREE
from ..base.quirks import Quirks
from ._provider import OPENAI


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that speaks OpenAI's chat completions.

    Attributes:
        name: The name that users write.
        base_url: The URL below which `/chat/completions` is.
        base_url_env: The environment variable that overrides it.
        api_key_env: The environment variable with the key; None if the server checks no key.
        prices: The provider in the price table; empty if it has the same name there.
        quirks: The differences from OpenAI's format.
    """

    name: str
    base_url: str
    base_url_env: str = ""
    api_key_env: str | None = None
    prices: str = ""
    quirks: Quirks = field(default_factory=Quirks)

    def url(self) -> str:
        """Return the base URL, as the environment has it now."""
        return os.environ.get(self.base_url_env) or self.base_url

    def key(self) -> str:
        """Return the API key.

        Raises:
            ferroscope.errors.MissingApiKeyError: The environment variable is not set.
        """
        if self.api_key_env is None:
            return self.name  # the SDK insists on a key
        key = os.environ.get(self.api_key_env)
        if not key:
            # Never OPENAI_API_KEY, which the SDK would take: it belongs to another provider.
            raise MissingApiKeyError(
                f"{self.api_key_env} is not set: put the API key for {self.name!r} there, or pass `client=`"
            )
        return key


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
    environment = (server.base_url_env, server.api_key_env, "FERROSCOPE_AIOHTTP")
    return replace(
        OPENAI,
        name=server.name,
        prices=server.prices,
        quirks=server.quirks,
        dialect=OpenAIChat(label=server.name, quirks=server.quirks),
        clients=Clients(
            environment=tuple(filter(None, environment)),
            sync=lambda: sync_client(server.url(), server.key()),
            asynchronous=lambda: async_client(server.url(), server.key()),
        ),
    )
