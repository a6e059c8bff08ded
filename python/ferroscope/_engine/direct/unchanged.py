"""The comparison of a client with its state when a request was prepared. It is made at each call, so it is one loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..._sdk_internals import http_client
from ...transport import Lookup, lookups_of_http
from .rules import DirectRules

# Any: clients of any SDK, and the values of their attributes.

METHODS: Final = ("create", "post", "request")
"""The methods that programs replace on one object."""


class Snapshot:
    """The values that determine the requests of a client, apart from the parameters of a call."""

    __slots__ = ("_http", "_values")

    def __init__(self, client: Any, rules: DirectRules) -> None:
        self._http = http_client(client)
        self._values = [(get, name, _copied(get(name))) for get, name in _lookups(client, rules)]

    def is_current(self) -> bool:
        """Return whether all values are still the same, and the HTTP client is open."""
        for get, name, value in self._values:
            found = get(name)
            if found is not value and found != value:
                return False
        return not self._http.is_closed


def functions_of(client: Any, rules: DirectRules) -> Iterator[tuple[type, str]]:
    """Yield the functions between a call and the transport that tracing and mocks replace, as class and name."""
    wanted = (
        (list(_path(client, rules))[-1], ("create", "_post")),
        (client, ("post", "request", "_build_request", "_prepare_options", "_prepare_request")),
        (http_client(client), ("send", "build_request", "_send_handling_auth")),
    )
    for instance, names in wanted:
        for name in names:
            for owner in type(instance).__mro__:
                if name in vars(owner):
                    yield owner, name
                    break


def replaced_method(client: Any, rules: DirectRules) -> str | None:
    """Return the name of the class of an object with a replaced method; None if there is none."""
    for owner in (client, list(_path(client, rules))[-1]):
        if not vars(owner).keys().isdisjoint(METHODS):
            return type(owner).__name__
    return None


def _lookups(client: Any, rules: DirectRules) -> Iterator[Lookup]:
    for name in rules.state:
        yield vars(client).get, name
    *owners, resource = _path(client, rules)
    for owner, name in zip(owners, rules.method.split("."), strict=False):
        yield vars(owner).get, name
    for instance in (client, resource):
        for name in METHODS:
            yield vars(instance).get, name
    for kind, name in functions_of(client, rules):
        yield vars(kind).get, name
    yield from lookups_of_http(http_client(client))


def _path(client: Any, rules: DirectRules) -> Iterator[Any]:
    """Yield the client, and the objects on the path to the method that sends requests."""
    found = client
    yield found
    for name in rules.method.split(".")[:-1]:
        found = getattr(found, name)
        yield found


def _copied(value: Any) -> Any:
    """Return a value that does not change with the original: dicts, and lists in them, are copied."""
    if type(value) is not dict:
        return value
    return {name: list(inner) if type(inner) is list else inner for name, inner in value.items()}
