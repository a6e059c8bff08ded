"""The wire formats of the server, one file each. A new one is a file here and a line in `WIRES`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ferroscope.testing._wires.anthropic import Anthropic
from ferroscope.testing._wires.anthropic_bedrock import AnthropicBedrock
from ferroscope.testing._wires.azure import AzureChat
from ferroscope.testing._wires.bedrock_converse import BedrockConverse
from ferroscope.testing._wires.chat_server import ChatServer, UsagePlace
from ferroscope.testing._wires.chat_servers import SERVERS
from ferroscope.testing._wires.cohere import Cohere
from ferroscope.testing._wires.gemini import Gemini
from ferroscope.testing._wires.openai_chat import OpenAIChat
from ferroscope.testing._wires.openai_responses import OpenAIResponses
from ferroscope.testing._wires.wire import Wire

__all__ = ["SERVERS", "WIRES", "ChatServer", "UsagePlace", "Wire", "base_path", "wire_for", "wires_with"]

WIRES: tuple[Wire, ...] = (
    *map(OpenAIChat, SERVERS.values()),
    Anthropic(),
    AnthropicBedrock(),
    AzureChat(),
    Gemini(),
    Cohere(),
    BedrockConverse(),
    OpenAIResponses(),
)


def wires_with(servers: Iterable[ChatServer]) -> tuple[Wire, ...]:
    """Return all wires, including those of further servers."""
    return (*WIRES, *map(OpenAIChat, servers))


def wire_for(wires: Sequence[Wire], method: str, path: str) -> Wire | None:
    """Return the wire of a request; None if no wire accepts it."""
    # Later wires are more specific than earlier ones.
    return next((wire for wire in reversed(wires) if wire.accepts(method, path)), None)


def base_path(wires: Sequence[Wire], provider: str) -> str:
    """Return the path under which `provider` is served."""
    for wire in reversed(wires):
        if provider in wire.mounts:
            return wire.mounts[provider]
    known = ", ".join(sorted({name for wire in wires for name in wire.mounts}))
    raise ValueError(f"no wire for provider {provider!r}; known providers: {known}")
