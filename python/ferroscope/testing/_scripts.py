"""Scripts that are not answers: a recorded stream, and a fixed body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ferroscope.testing._exchange import Exchange, Script
from ferroscope.testing._http import Piece, Response, paced
from ferroscope.testing._vocabulary import Answer, Failure, Part

__all__ = ["NO_RETRY", "Body", "Replay", "as_script"]

NO_RETRY = (("x-should-retry", "false"),)
"""The header that prevents retries in SDKs that support it, so that an error of the script is visible at once."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded stream, byte for byte.

    Args:
        source: The recording, or its file.
        read_sizes: The sizes of the recorded reads, each sent as one HTTP chunk (the rest in a last one);
            None: one HTTP chunk for each event.
        body: The body for the same request without streaming: the recording's non-streamed twin.
        content_type: None: the one of the wire.
        delay: Seconds before each HTTP chunk.
    """

    source: Path | str | bytes
    read_sizes: Sequence[int] | None = None
    body: Path | str | bytes | Mapping[str, Any] | None = None
    content_type: str | None = None
    delay: float = 0.0

    @property
    def recording(self) -> bytes:
        """The bytes of the recording."""
        return _read(self.source)

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        if not exchange.streamed:
            if self.body is None:
                failure = Failure("this Replay has no `body=` for a request without streaming", 501)
                return exchange.error(failure, headers=NO_RETRY)
            twin = self.body
            return exchange.plain(json.dumps(twin).encode() if isinstance(twin, Mapping) else _read(twin))
        if self.read_sizes is None:
            parts = list(exchange.wire.split(self.recording))
        else:
            parts = _cut_bytes(self.recording, self.read_sizes)
        headers = exchange.stream_headers
        if self.content_type is not None:
            headers = tuple(pair for pair in headers if pair[0] != "content-type")
            headers += (("content-type", self.content_type),)
        return Response(pieces=paced(parts, delay=self.delay), headers=headers)


@dataclass(frozen=True, slots=True)
class Body:
    """One body for every request: an object becomes JSON, text and bytes are sent as they are."""

    content: Mapping[str, Any] | Sequence[Any] | str | bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        content = self.content
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = json.dumps(content, ensure_ascii=False).encode()
        return Response(
            pieces=(Piece(content),),
            status=self.status,
            headers=(("content-type", self.content_type), *self.headers.items()),
            chunked=False,
        )


def as_script(script: Script | Part | str) -> Script:
    """Return the script; a plain text or a single part becomes an answer."""
    return Answer(script) if isinstance(script, str | Part) else script


def _read(source: Path | str | bytes) -> bytes:
    return source if isinstance(source, bytes) else Path(source).read_bytes()


def _cut_bytes(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    parts: list[bytes] = []
    start = 0
    for size in sizes:
        parts.append(data[start : start + size])
        start += size
    parts.append(data[start:])
    return [part for part in parts if part]
