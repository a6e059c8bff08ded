"""A test server on loopback, with scripted answers, recorded streams and faults over real HTTP, without keys.

    >>> from ferroscope.testing import Answer, ProviderServer, Status, Text, Usage
    >>> with ProviderServer(Status(429, retry_after=0.01), Answer(Text("Hello"), usage=Usage(9, 1))) as server:
    ...     url = server.base_url("openai")  # any OpenAI client, of any version, sync or async

The same answer is sent as a stream or as one body, depending on the request. `server.requests` has the requests that
the server received.
"""

from __future__ import annotations

from ferroscope.testing._cassette import Cassette, RecordMode
from ferroscope.testing._exchange import Exchange, Script
from ferroscope.testing._faults import Corrupt, Cut, Garbage, HangUp, SlowHeaders, Stall, Status, StreamError
from ferroscope.testing._http import Headers, Outcome, Piece, Request, Response
from ferroscope.testing._ledger import Handler, Scripted
from ferroscope.testing._scripts import Body, Replay
from ferroscope.testing._server import ProviderServer
from ferroscope.testing._spawned import SpawnedServer
from ferroscope.testing._vocabulary import (
    Answer,
    Blocked,
    Citation,
    ContentFilter,
    EncryptedReasoning,
    Failure,
    Json,
    Media,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolCalls,
    ToolCallShape,
    ToolPlan,
    Usage,
    UsageIn,
)
from ferroscope.testing._wires import SERVERS as CHAT_SERVERS
from ferroscope.testing._wires import ChatServer, UsagePlace, Wire

__all__ = [
    "CHAT_SERVERS",
    "Answer",
    "Blocked",
    "Body",
    "Cassette",
    "ChatServer",
    "Citation",
    "ContentFilter",
    "Corrupt",
    "Cut",
    "EncryptedReasoning",
    "Exchange",
    "Failure",
    "Garbage",
    "Handler",
    "HangUp",
    "Headers",
    "Json",
    "Media",
    "Outcome",
    "Part",
    "Piece",
    "ProviderServer",
    "Reasoning",
    "RecordMode",
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
    "ToolPlan",
    "Usage",
    "UsageIn",
    "UsagePlace",
    "Wire",
]
