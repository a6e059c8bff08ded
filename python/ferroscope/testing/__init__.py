"""A provider on loopback: scripted answers, recorded streams and faults over real HTTP, without keys.

    >>> from ferroscope.testing import Answer, ProviderServer, Status, Text, Usage
    >>> with ProviderServer(Status(429, retry_after=0.01), Answer(Text("Hello"), usage=Usage(9, 1))) as server:
    ...     url = server.base_url("openai")  # any OpenAI client, of any version, sync or async

The same answer is sent streamed or whole, as the request asks for it. `server.requests` is what came in.
"""

from __future__ import annotations

from ferroscope.testing._answers import (
    Answer,
    Body,
    ContentFilter,
    Json,
    Part,
    Reasoning,
    Refusal,
    Replay,
    Text,
    ToolCall,
    ToolCalls,
    ToolCallShape,
    Usage,
)
from ferroscope.testing._exchange import Exchange, Failure, Headers, Outcome, Piece, Request, Response, Script
from ferroscope.testing._faults import Cut, Garbage, HangUp, SlowHeaders, Stall, Status, StreamError
from ferroscope.testing._ledger import Handler, Scripted
from ferroscope.testing._server import ProviderServer
from ferroscope.testing._spawned import SpawnedServer
from ferroscope.testing._wires import Wire

__all__ = [
    "Answer",
    "Body",
    "ContentFilter",
    "Cut",
    "Exchange",
    "Failure",
    "Garbage",
    "Handler",
    "HangUp",
    "Headers",
    "Json",
    "Outcome",
    "Part",
    "Piece",
    "ProviderServer",
    "Reasoning",
    "Refusal",
    "Replay",
    "Request",
    "Response",
    "Script",
    "Scripted",
    "SlowHeaders",
    "SpawnedServer",
    "Stall",
    "Status",
    "StreamError",
    "Text",
    "ToolCall",
    "ToolCallShape",
    "ToolCalls",
    "Usage",
    "Wire",
]
