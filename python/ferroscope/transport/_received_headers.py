"""The headers of responses that an SDK does not hand out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, TypeVar
from weakref import WeakSet

from ._joined import MADE_BY_SDKS, http_clients_of

_T = TypeVar("_T")


class ReceivedHeaders:
    """The headers of the last response to a request, with an HTTP client that `report_headers` has prepared.

    Attributes:
        headers: The headers; empty if there was no response, or if its client does not report them.
    """

    __slots__ = ("headers",)

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}

    def run(self, send: Callable[[], _T]) -> _T:
        """Return the result of `send`, which sends the request."""
        token = _current.set(self)
        try:
            return send()
        finally:
            _current.reset(token)

    async def arun(self, send: Callable[[], Awaitable[_T]]) -> _T:
        """Return the result of an async `send`."""
        token = _current.set(self)
        try:
            return await send()
        finally:
            _current.reset(token)


def report_headers(client: Any, *, is_default: bool) -> None:
    """Make the HTTP clients in a client report the headers of responses. An HTTP client of the program is not changed.

    Args:
        client: A client of an SDK.
        is_default: Whether it is a default client, so that no HTTP client in it is the program's.
    """
    try:
        if client in _reporting:
            return
        _reporting.add(client)
    except TypeError:  # it has no hash, or no weak references
        return
    for http in http_clients_of(client):
        if not is_default and type(http).__name__ not in MADE_BY_SDKS:
            continue
        hook = _anote if hasattr(http, "aclose") else _note
        hooks = http.event_hooks
        if hook not in hooks["response"]:
            http.event_hooks = hooks | {"response": [*hooks["response"], hook]}


def _note(response: Any) -> None:
    if (received := _current.get()) is not None:
        received.headers = response.headers


def has_foreign_hooks(http: Any) -> bool:
    """Return whether an HTTP client has event hooks, besides the one that reports headers."""
    return any(hook is not _note and hook is not _anote for hooks in http.event_hooks.values() for hook in hooks)


async def _anote(response: Any) -> None:
    _note(response)


_current: Final[ContextVar[ReceivedHeaders | None]] = ContextVar("ferroscope.transport.received", default=None)
received: Final = _current.get
"""Return the object that receives the headers of the current request, if there is one."""
_reporting: Final[WeakSet[Any]] = WeakSet()
