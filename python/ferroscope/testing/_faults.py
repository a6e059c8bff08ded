"""Ways for an answer to go wrong: each stands alone or wraps the answer that it spoils.

>>> from ferroscope.testing import Cut, ProviderServer, Status
>>> server = ProviderServer(Status(429, retry_after=0.01), Cut("Hello there", at=400), "all is well")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ferroscope.testing._answers import Part, as_script
from ferroscope.testing._exchange import (
    UNTIL_CLIENT_LEAVES,
    Exchange,
    Failure,
    Piece,
    Response,
    Script,
    json_response,
    phrase_of,
)

__all__ = ["Cut", "Garbage", "HangUp", "SlowHeaders", "Stall", "Status", "StreamError"]


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error with the provider's own error body (or `body`), and Retry-After when given.

    Queue an answer after it and the SDK's retry succeeds.
    """

    status: int
    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] | None = None

    def respond(self, exchange: Exchange) -> Response:
        headers = list(self.headers.items())
        if self.retry_after is not None:
            headers.append(("retry-after", str(self.retry_after)))
        if self.body is not None:
            return json_response(json.dumps(self.body).encode(), status=self.status, headers=headers)
        message = self.message or phrase_of(self.status)
        failure = Failure(message, self.status, self.type, self.code, self.param)
        return exchange.error(failure, headers=headers)


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks after `at` bytes of the body: by a TCP reset, or by a close too early."""

    script: Script | Part | str
    at: int
    how: Literal["reset", "close"] = "reset"

    def respond(self, exchange: Exchange) -> Response:
        return as_script(self.script).respond(exchange).cut(self.at, self.how)


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing more comes after the first `after` events, for `seconds` or until the client leaves."""

    script: Script | Part | str
    after: int
    seconds: float = UNTIL_CLIENT_LEAVES

    def respond(self, exchange: Exchange) -> Response:
        return as_script(self.script).respond(exchange).stalled(self.after, self.seconds)


@dataclass(frozen=True, slots=True)
class SlowHeaders:
    """The status line and the headers come `seconds` late, or never."""

    script: Script | Part | str
    seconds: float = UNTIL_CLIENT_LEAVES

    def respond(self, exchange: Exchange) -> Response:
        return replace(as_script(self.script).respond(exchange), header_wait=self.seconds)


@dataclass(frozen=True, slots=True)
class StreamError:
    """Status 200, the first `after` events of a stream, then an error payload in place of the rest.

    Without a `type` it is the one that the provider has for its own failures.
    """

    script: Script | Part | str
    after: int
    message: str = "The server had an error while processing your request."
    type: str | None = None
    code: str | None = None
    param: str | None = None

    def respond(self, exchange: Exchange) -> Response:
        failure = Failure(self.message, 500, self.type, self.code, self.param)
        if not exchange.streamed:
            return exchange.error(failure)
        response = as_script(self.script).respond(exchange)
        error = Piece(exchange.wire.render_stream_error(failure))
        return replace(response, pieces=(*response.pieces[: self.after], error))


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something that is no answer, under status 200.

    sse: an event whose data is no JSON, between the events of `script`. html: the page of a proxy.
    """

    kind: Literal["sse", "html"] = "sse"
    script: Script | Part | str = "Hello"
    after: int = 0

    def respond(self, exchange: Exchange) -> Response:
        if self.kind == "html":
            page = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
            return Response((Piece(page),), headers=(("content-type", "text/html"),), chunked=False)
        if not exchange.streamed:
            return json_response(b'{"choices": [{')
        response = as_script(self.script).respond(exchange)
        junk = Piece(b'data: {"choices": [{\n\n')
        before, rest = response.pieces[: self.after], response.pieces[self.after :]
        return replace(response, pieces=(*before, junk, *rest))


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection is accepted, the request read, and the connection reset without a byte."""

    def respond(self, exchange: Exchange) -> Response:
        return Response(pieces=(), ending="reset", silent=True)
