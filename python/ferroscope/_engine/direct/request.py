"""The prepared request of a decorated function and a client."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from types import FunctionType
from typing import Any, Final

import orjson

from ..._sdk_internals import http_client
from ...transport import (
    AsyncExchange,
    BlockingExchange,
    Library,
    NativeTransport,
    RequestHead,
    library_of,
    reason_of_client,
    reason_of_patches,
    transport_of,
)
from .rules import DirectRules

# Any: clients and requests of any SDK and HTTP library, and JSON.

# Keyword arguments of every method of these SDKs that are not members of the body.
_OPTIONS: Final = frozenset({"extra_body", "extra_headers", "extra_query", "timeout"})
# Only what the SDK writes the same way. Everything else is an error, and the SDK sends the request.
_STRICT: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
_METHODS: Final = frozenset({"create", "post", "request"})
_LIBRARIES: Final = ("httpx", "httpx2")


class DirectRequest:
    """A request that the SDK built once.

    Attributes:
        reason: The reason why the SDK has to send these requests; empty if it does not.
        transport: The transport of the client.
    """

    __slots__ = ("_arguments", "_functions", "_rules", "_state", "head", "library", "reason", "request", "transport")

    def __init__(self, rules: DirectRules, client: Any, arguments: Mapping[str, Any]) -> None:
        self._rules = rules
        self._state = _state_of(client, rules)
        self._arguments = arguments
        self._functions = list(_functions(client, rules))
        self.transport: Any = transport_of(client)
        self.request: Any = None
        self.head: RequestHead | None = None
        self.library: Library | None = None
        self.reason = ""

    def fits(self, client: Any, arguments: Mapping[str, Any]) -> bool:
        """Return whether the SDK would build the same request, apart from its body."""
        return (
            arguments == self._arguments
            and _state_of(client, self._rules) == self._state
            and transport_of(client) is self.transport
            and all(vars(owner).get(name) is function for owner, name, function in self._functions)
        )

    def reason_now(self, client: Any) -> str | None:
        """Return a reason that may appear after the request was prepared."""
        library = self.library
        assert library is not None
        return (
            reason_of_client(client)
            or reason_of_patches(library.name)
            or _reason_of_instances(client, self._rules)
            or self._rules.reason_against(client)
        )

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
    for owner, name, function in _functions(client, rules):
        if not _is_of(function, (_root(type(client)), *_LIBRARIES)):
            return f"{owner.__name__}.{name} was replaced"
    return _reason_of_instances(client, rules) or rules.reason_against(client)


def _reason_of_instances(client: Any, rules: DirectRules) -> str | None:
    """Return the reason if a program has replaced a method of one object, or None."""
    for owner in (client, _resource(client, rules)):
        if not _METHODS.isdisjoint(vars(owner)):
            return f"a method of {type(owner).__name__} was replaced"
    return None


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


def _state_of(client: Any, rules: DirectRules) -> list[Any]:
    attributes = vars(client)
    values = [attributes.get(name) for name in rules.state]
    return [dict(value) if type(value) is dict else value for value in values]


def _resource(client: Any, rules: DirectRules) -> Any:
    found = client
    for name in rules.method.split(".")[:-1]:
        found = getattr(found, name)
    return found


def _functions(client: Any, rules: DirectRules) -> Iterator[tuple[type, str, Any]]:
    """Yield the functions between a call and the transport that tracing and mocks replace: class, name, function."""
    wanted = (
        (_resource(client, rules), ("create", "_post")),
        (client, ("post", "request", "_build_request", "_prepare_options", "_prepare_request")),
        (http_client(client), ("send", "build_request", "_send_handling_auth")),
    )
    for instance, names in wanted:
        for name in names:
            for owner in type(instance).__mro__:
                if name in vars(owner):
                    yield owner, name, vars(owner)[name]
                    break


def _root(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _is_of(function: object, packages: tuple[str, ...]) -> bool:
    """Return whether a function is the original of one of these packages. `functools.wraps` copies only its names."""
    return type(function) is FunctionType and str(function.__globals__.get("__name__")).partition(".")[0] in packages


def is_loaded(client: object, sdk: str, rules: DirectRules) -> bool:
    """Return whether a client is of one of the SDK's own classes."""
    kind = type(client)
    return kind.__name__ in rules.clients and getattr(sys.modules.get(sdk), kind.__name__, None) is kind
