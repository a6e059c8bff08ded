"""The prepared request of a decorated function and a client."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from types import FunctionType
from typing import Any, Final

import orjson

from ...transport import (
    AsyncExchange,
    BlockingExchange,
    Library,
    NativeTransport,
    RequestHead,
    library_of,
    reason_of_client,
    transport_of,
)
from .rules import DirectRules
from .unchanged import Snapshot, functions_of, replaced_method

# Any: clients and requests of any SDK and HTTP library, and JSON.

# Keyword arguments of every method of these SDKs that are not members of the body.
_OPTIONS: Final = frozenset({"extra_body", "extra_headers", "extra_query", "timeout"})
# Only what the SDK writes the same way. Everything else is an error, and the SDK sends the request.
_STRICT: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_LIBRARIES: Final = ("httpx", "httpx2")


class DirectRequest:
    """A request that the SDK built once.

    Attributes:
        reason: The reason why the SDK has to send these requests; empty if it does not.
        transport: The transport of the client.
    """

    __slots__ = ("_arguments", "_rules", "_snapshot", "head", "library", "reason", "request", "transport")

    def __init__(self, rules: DirectRules, client: Any, arguments: Mapping[str, Any]) -> None:
        self._rules = rules
        self._snapshot = Snapshot(client, rules)
        self._arguments = arguments
        self.transport: Any = transport_of(client)
        self.request: Any = None
        self.head: RequestHead | None = None
        self.library: Library | None = None
        self.reason = ""

    def fits(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether the SDK would build the same request for its client, apart from the body."""
        return arguments == self._arguments and self._snapshot.is_current()

    def reason_now(self, client: Any) -> str | None:
        """Return the reason why the SDK has to send a request now, or None."""
        if self.reason or self._rules.reason_against is None:
            return self.reason or None
        return self._rules.reason_against(client)

    def accept(self, request: Any, body: bytes) -> None:
        """Accept the request that the SDK built.

        Args:
            request: That request.
            body: The body that the direct way would send.
        """
        if not _is_same_json(request.content, body):
            self.reason = "the SDK writes another body"
            return
        self.request = request
        self.library = library_of(type(request).__module__.partition(".")[0])
        head = RequestHead.of(request, self.transport.proxy)
        self.head = RequestHead(
            head.origin,
            head.peer,
            head.method,
            head.target,
            [header for header in head.headers if header[0].lower() != b"content-length"],
            head.timeouts,
        )

    def start(self, body: bytes) -> AsyncExchange | BlockingExchange:
        """Send the request with a body."""
        head, transport = self.head, self.transport
        assert head is not None
        starting = transport if isinstance(transport, NativeTransport) else transport.pool
        exchange: AsyncExchange | BlockingExchange = starting.start(head, body, partial(self.make_error, body))
        return exchange

    def make_error(self, body: bytes, kind: str, message: str) -> Exception:
        """Return the HTTP library's exception for a failure of the transport."""
        assert self.library is not None
        return self.library.make_error(self.sent(body), kind, message)

    def sent(self, body: bytes) -> Any:
        """Return the HTTP library's request for a body."""
        known = self.request
        headers = [header for header in known.headers.raw if header[0].lower() != b"content-length"]
        return type(known)(known.method, known.url, headers=headers, content=body, extensions=known.extensions)


def reason_against(client: Any, rules: DirectRules) -> str | None:
    """Return the reason why the requests of a client must not bypass its SDK, or None."""
    found = [name for name in rules.absent if getattr(client, name, None)]
    if found:
        return f"the client has {', '.join(found)}"
    if (reason := reason_of_client(client)) is not None:
        return reason
    for owner, name in functions_of(client, rules):
        if not _is_of(vars(owner)[name], (_root(type(client)), *_LIBRARIES)):
            return f"{owner.__name__}.{name} was replaced"
    if (kind := replaced_method(client, rules)) is not None:
        return f"a method of {kind} was replaced"
    return None if rules.reason_against is None else rules.reason_against(client)


def body_of(kwargs: Mapping[str, Any]) -> bytes:
    """Return the body for the keyword arguments of the SDK's method.

    Raises:
        TypeError: The SDK would write a value in a way of its own, or refuse it.
    """
    body = {name: value for name, value in kwargs.items() if name not in _OPTIONS}
    if any(type(value) is float and value - value != 0 for value in body.values()):
        raise TypeError("a number is not finite")
    if extra := kwargs.get("extra_body"):
        body |= extra
    return orjson.dumps(body, option=_STRICT)


def _is_same_json(one: bytes, other: bytes) -> bool:
    try:
        return bool(orjson.loads(one) == orjson.loads(other))
    except ValueError:
        return False


def _root(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _is_of(function: object, packages: tuple[str, ...]) -> bool:
    """Return whether a function is the original of one of these packages. `functools.wraps` copies only its names."""
    return type(function) is FunctionType and str(function.__globals__.get("__name__")).partition(".")[0] in packages


def is_loaded(client: object, sdk: str, rules: DirectRules) -> bool:
    """Return whether a client is of one of the SDK's own classes."""
    kind = type(client)
    return kind.__name__ in rules.clients and getattr(sys.modules.get(sdk), kind.__name__, None) is kind
