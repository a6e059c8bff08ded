"""The attributes of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from . import names

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from .._engine.call import Call

_PORTS = {"http": 80, "https": 443}
_PARAMETERS = {
    name: (attribute, kind) for attribute, (kind, known) in names.REQUEST_PARAMETERS.items() for name in known
}

_known_ports: WeakKeyDictionary[object, tuple[str, int | None]] = WeakKeyDictionary()


def shared_attributes(call: Call, client: object) -> dict[str, AttributeValue]:
    """Return the attributes that the span and the metrics of a request share."""
    provider = call.provider
    attributes: dict[str, AttributeValue] = {
        names.OPERATION: provider.operation,
        names.PROVIDER: provider.telemetry_name or provider.name,
        names.REQUEST_MODEL: call.plan.model,
    }
    if call.host:
        attributes[names.SERVER_ADDRESS] = call.host
        port = _port_of(client, call)
        if port is not None:
            attributes[names.SERVER_PORT] = port
    return attributes


def _port_of(client: object, call: Call) -> int | None:
    """Return the port of a client. To build its URL takes the SDK several microseconds, so the port is kept."""
    try:
        known = _known_ports.get(client)
        if known is not None and known[0] == call.host:
            return known[1]
        port = _port(call.provider.clients.url(client))
        _known_ports[client] = call.host, port
    except TypeError:  # a client without weak references or a hash
        return _port(call.provider.clients.url(client))
    return port


def _port(url: Any) -> int | None:  # Any: a URL of any HTTP library
    scheme, port = getattr(url, "scheme", None), getattr(url, "port", None)
    if scheme is None:
        split = urlsplit(str(url))
        scheme, port = split.scheme, split.port
    return port if isinstance(port, int) else _PORTS.get(str(scheme))


def request_parameters(call: Call) -> dict[str, AttributeValue]:
    """Return the parameters of a request, under the names of the conventions."""
    found: dict[str, AttributeValue] = {}
    for name, value in call.kwargs.items():
        if name in _PARAMETERS:
            _add(name, value, found)
        elif name in names.SECTIONS:
            for inner, setting in _members(value).items():
                if inner in _PARAMETERS:
                    _add(inner, setting, found)
    if found.get(names.CHOICE_COUNT) == 1:
        del found[names.CHOICE_COUNT]
    if call.plan.stream:
        found[names.REQUEST_STREAM] = True
    if call.extraction is not None or call.plan.json_mode:
        found[names.OUTPUT_TYPE] = "json"
    return found


def _members(section: Any) -> Mapping[str, Any]:  # Any: a dict, or an SDK's model
    return section if isinstance(section, dict) else getattr(section, "__dict__", {})


def _add(name: str, value: Any, found: dict[str, AttributeValue]) -> None:
    attribute, kind = _PARAMETERS[name]
    if kind is list:
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            found[attribute] = list(value)
    elif isinstance(value, kind) or (kind is float and isinstance(value, int)):
        found[attribute] = kind(value)
