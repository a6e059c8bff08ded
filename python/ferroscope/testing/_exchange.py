"""One exchange: a request, its wire, and the response that a script returns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ferroscope.testing._http import Request, Response, json_response, paced
from ferroscope.testing._vocabulary import Answer, Failure
from ferroscope.testing._wires.wire import Wire

__all__ = ["Exchange", "Script"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its wire: the input of a script."""

    wire: Wire
    request: Request

    @property
    def streamed(self) -> bool:
        """Whether the client asked for a stream."""
        return self.wire.wants_stream(self.request)

    @property
    def stream_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of a streamed response."""
        content_type = self.wire.stream_content_type(self.request)
        return (("content-type", content_type), ("cache-control", "no-cache"), *self.wire.headers(self.request))

    def render(self, answer: Answer) -> Response:
        """Return the response that carries an answer: a stream or one body, as the client asked."""
        failure = self.wire.blocked_error(answer.blocked) if answer.blocked else None
        if failure is not None:
            return self.error(failure)
        if self.streamed:
            events = self.wire.render_stream(answer, self.request)
            pieces = paced(events, delay=answer.delay, first_delay=answer.first_delay, coalesce=answer.coalesce)
            return Response(pieces=pieces, headers=self.stream_headers)
        body = json.dumps(self.wire.render_body(answer, self.request), ensure_ascii=False).encode()
        wait = answer.delay if answer.first_delay is None else answer.first_delay
        return self.plain(body, wait=wait)

    def plain(self, body: bytes, *, wait: float = 0.0) -> Response:
        """Return a successful response with this JSON body."""
        return json_response(body, headers=self.wire.headers(self.request), wait=wait)

    def error(self, failure: Failure, *, headers: Sequence[tuple[str, str]] = ()) -> Response:
        """Return a plain response with the provider's own error body."""
        extra = (*self.wire.headers(self.request), *self.wire.error_headers(failure))
        return json_response(
            self.wire.render_error(failure, self.request), status=failure.status, headers=(*extra, *headers)
        )


class Script(Protocol):
    """Anything that returns a response: an `Answer`, a `Replay`, a `Body`, or a fault around one of them."""

    def respond(self, exchange: Exchange) -> Response:
        """Return the whole response for this request."""
        ...
