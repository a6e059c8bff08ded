"""Faults. Each is a script of its own, or wraps the answer that it damages.

>>> from ferroscope.testing import Cut, ProviderServer, Status
>>> server = ProviderServer(Status(429, retry_after=0.01), Cut("Hello there", at=400), "all is well")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ferroscope.testing._exchange import Exchange, Script
from ferroscope.testing._http import UNTIL_CLIENT_LEAVES, Piece, Response, json_response, phrase_of
from ferroscope.testing._scripts import as_script
from ferroscope.testing._vocabulary import Failure, Part

__all__ = ["Corrupt", "Cut", "Garbage", "HangUp", "SlowHeaders", "Stall", "Status", "StreamError"]


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error with the provider's own error body (or `body`).

    Args:
        status: The HTTP status.
        message: The text of the error; None: the reason phrase of the status.
        type: The type, or the status word; None: the provider's usual one for this HTTP status.
        code: The error code, where the format has one.
        param: The parameter at fault, where the format has one.
        retry_after: The `Retry-After` header: seconds, or an HTTP date.
        headers: Further headers.
        body: A body to send in place of the provider's own.
        extra: Further fields of the error object, such as Groq's `failed_generation` or Google's `details`.

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
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        headers = list(self.headers.items())
        if self.retry_after is not None:
            headers.append(("retry-after", str(self.retry_after)))
        if self.body is not None:
            return json_response(json.dumps(self.body).encode(), status=self.status, headers=headers)
        message = self.message or phrase_of(self.status)
        failure = Failure(message, self.status, self.type, self.code, self.param, self.extra)
        return exchange.error(failure, headers=headers)


@dataclass(frozen=True, slots=True)
class Cut:
    """A connection that breaks after `at` bytes of the body: by a TCP reset, or by an early close."""

    script: Script | Part | str
    at: int
    how: Literal["reset", "close"] = "reset"

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        return as_script(self.script).respond(exchange).cut(self.at, self.how)


@dataclass(frozen=True, slots=True)
class Stall:
    """A pause after the first `after` events, for `seconds` or until the client leaves."""

    script: Script | Part | str
    after: int
    seconds: float = UNTIL_CLIENT_LEAVES

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        return as_script(self.script).respond(exchange).stalled(self.after, self.seconds)


@dataclass(frozen=True, slots=True)
class SlowHeaders:
    """A status line and headers that arrive after `seconds`, or never."""

    script: Script | Part | str
    seconds: float = UNTIL_CLIENT_LEAVES

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        return replace(as_script(self.script).respond(exchange), header_wait=self.seconds)


@dataclass(frozen=True, slots=True)
class StreamError:
    """Status 200, the first `after` events of a stream, then the provider's error event in place of the rest.

    Args:
        script: The answer that the error ends.
        after: The number of events before the error.
        message: The text of the error.
        type: The type, or the status word; None: the provider's usual one for `status`.
        code: The error code, where the format has one. On Bedrock it makes an `error` frame of an `exception` frame.
        param: The parameter at fault, where the format has one.
        status: The status inside the error event, and the HTTP status of a request without streaming.
        extra: Further fields of the error object.
    """

    script: Script | Part | str
    after: int
    message: str = "The server had an error while processing your request."
    type: str | None = None
    code: str | None = None
    param: str | None = None
    status: int = 500
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        failure = Failure(self.message, self.status, self.type, self.code, self.param, self.extra)
        if not exchange.streamed:
            return exchange.error(failure)
        response = as_script(self.script).respond(exchange)
        after = min(self.after, len(response.pieces))
        error = Piece(exchange.wire.render_stream_error(failure, exchange.request, after))
        return replace(response, pieces=(*response.pieces[: self.after], error))


@dataclass(frozen=True, slots=True)
class Garbage:
    """A response with status 200 that is not an answer.

    sse: an event (a frame on Bedrock) whose data is not JSON, between the events of `script`.
    html: the page of a proxy.
    """

    kind: Literal["sse", "html"] = "sse"
    script: Script | Part | str = "Hello"
    after: int = 0

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        if self.kind == "html":
            page = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
            return Response((Piece(page),), headers=(("content-type", "text/html"),), chunked=False)
        if not exchange.streamed:
            return json_response(b'{"choices": [{')
        response = as_script(self.script).respond(exchange)
        junk = Piece(exchange.wire.garbage)
        before, rest = response.pieces[: self.after], response.pieces[self.after :]
        return replace(response, pieces=(*before, junk, *rest))


@dataclass(frozen=True, slots=True)
class Corrupt:
    """The event after the first `after` arrives with one changed byte.

    A frame of AWS's event stream then has a wrong checksum; a text format has a byte that is not UTF-8.

    Args:
        script: The answer whose event is damaged.
        after: The number of events before it.
        at: The offset of the byte in the event; None: its middle. The first 12 bytes of a frame are its prelude.
    """

    script: Script | Part | str
    after: int
    at: int | None = None

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        response = as_script(self.script).respond(exchange)
        pieces = list(response.pieces)
        if self.after >= len(pieces):
            raise ValueError(f"Corrupt: the response has {len(pieces)} events, none after {self.after}")
        data = bytearray(pieces[self.after].data)
        data[len(data) // 2 if self.at is None else self.at] ^= 0x80
        pieces[self.after] = replace(pieces[self.after], data=bytes(data))
        return replace(response, pieces=tuple(pieces))


@dataclass(frozen=True, slots=True)
class HangUp:
    """A connection that is reset after the request was read, without a byte in return."""

    def respond(self, exchange: Exchange) -> Response:
        """Return the response to a request."""
        return Response(pieces=(), ending="reset", silent=True)
