"""The interface of a wire format, and the framing that most of them share."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, ClassVar

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import Answer, Blocked, Failure

__all__ = ["HeaderPairs", "Wire", "dumps", "split_sse"]

HeaderPairs = tuple[tuple[str, str], ...]


class Wire(ABC):
    """One wire format: the requests that it accepts, and its rendering of answers and errors."""

    mounts: Mapping[str, str]
    """The path that the provider's SDK uses as (the end of) its base URL, by provider name."""
    garbage: ClassVar[bytes] = b'data: {"choices": [{\n\n'
    """An event whose data is not JSON."""

    @abstractmethod
    def accepts(self, method: str, path: str) -> bool:
        """Return whether a request to this path uses this wire."""

    def body_of(self, request: Request) -> Mapping[str, Any]:
        """Return the body of a request. Raises `ValueError` if it is not a JSON object."""
        return request.json

    def wants_stream(self, request: Request) -> bool:
        """Return whether the client asked for a stream."""
        return bool(request.json.get("stream"))

    def stream_content_type(self, request: Request) -> str:
        """Return the content type of a stream."""
        return "text/event-stream; charset=utf-8"

    def headers(self, request: Request) -> HeaderPairs:
        """Return further headers of each response."""
        return ()

    def error_headers(self, failure: Failure) -> HeaderPairs:
        """Return further headers of an HTTP error."""
        return ()

    def blocked_error(self, blocked: Blocked) -> Failure | None:
        """Return the HTTP error for a blocked prompt; None if `render_body` and `render_stream` report it."""
        return None

    @abstractmethod
    def render_stream(self, answer: Answer, request: Request) -> Iterable[bytes]:
        """Return the events of a streamed answer, including the framing."""

    @abstractmethod
    def render_body(self, answer: Answer, request: Request) -> Mapping[str, Any]:
        """Return the same answer as one object."""

    @abstractmethod
    def render_error(self, failure: Failure, request: Request) -> bytes:
        """Return the body of an HTTP error."""

    @abstractmethod
    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        """Return an error that ends a stream after its first `after` events."""

    def split(self, recording: bytes) -> Iterable[bytes]:
        """Return a recorded stream, split after each event."""
        return split_sse(recording)


def split_sse(recording: bytes) -> list[bytes]:
    """Return a recording of server-sent events, split after each blank line. The concatenation of the pieces is the
    recording.
    """
    ends = [match.end() for match in re.finditer(rb"(?:\r\n|\n|\r(?!\n)){2,}", recording)]
    cuts = sorted({0, *ends, len(recording)})
    return [recording[start:end] for start, end in pairwise(cuts)]


def dumps(value: Any) -> bytes:
    """Return compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
