"""What a wire format must answer to be spoken by the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ferroscope.testing._answers import Answer
from ferroscope.testing._exchange import Failure, Request

__all__ = ["Wire"]


class Wire(Protocol):
    """One wire format: which requests are its own, and how it says an answer or an error."""

    @property
    def mounts(self) -> Mapping[str, str]:
        """Provider name to the path that its SDK takes as (the end of) its base URL."""
        ...

    @property
    def stream_content_type(self) -> str: ...

    def accepts(self, method: str, path: str) -> bool:
        """Whether a request to this path speaks this wire."""
        ...

    def wants_stream(self, request: Request) -> bool:
        """Whether the client asked for a stream."""
        ...

    def render_stream(self, answer: Answer, request: Request) -> Iterable[bytes]:
        """The events of a streamed answer, framing included."""
        ...

    def render_body(self, answer: Answer, request: Request) -> Mapping[str, Any]:
        """The same answer in one piece."""
        ...

    def render_error(self, failure: Failure) -> bytes:
        """The body of an HTTP error."""
        ...

    def render_stream_error(self, failure: Failure) -> bytes:
        """An event that tells of an error inside a stream."""
        ...

    def split(self, recording: bytes) -> Iterable[bytes]:
        """A recorded stream cut after each event."""
        ...
