"""A provider as one record: all differences between providers with the same wire format."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Final, Literal, TypeAlias, TypeVar

from ..core.base.call_response import AnyCallResponse
from ..core.base.call_response_chunk import AnyCallResponseChunk
from ..core.base.quirks import Quirks
from ..core.base.stream import AnyStream
from ..core.base.tool import BaseTool
from .clients import Clients, without_sdk_retries
from .common_errors import name_errors
from .dialect import Dialect
from .direct.rules import DirectRules
from .error_facts import RetryRules

_ClassT = TypeVar("_ClassT", bound=type)

AUTO: Final = "auto"
"""The value of the parameter `api` that lets the model and the other parameters choose the API."""
Framing: TypeAlias = Literal["sse", "aws_event_stream", "json_lines"]
"""The framing of events in a body, by the core's names."""

_ROLES = ("response", "chunk", "stream", "tool")


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, as data.

    A record is the only place of a provider's identity. Its classes read the name, the price provider and the
    quirks from it. A record that reuses another record's classes gets subclasses of its own.

    Attributes:
        name: The name that users write.
        dialect: The wire format, with the differences of this provider.
        sdk: The module of its SDK.
        response: The class of responses.
        chunk: The class of stream chunks.
        stream: The class of streams.
        tool: The base class of tools.
        clients: The default clients.
        prices: The provider in the price table, or `ferroscope.prices.FREE` for servers without charges; empty if it
            has the same name there.
        quirks: The differences from the wire format.
        stream_error: The SDK's class for an error that the provider reports inside a stream.
        errors: The SDK's exceptions that neither their name nor a status identifies: the name of each, and the name
            of the class in `ferroscope.errors`.
        telemetry_name: The provider's name in OpenTelemetry's conventions; empty if that is the same.
        operation: The name of the operation in OpenTelemetry's conventions.
        adapter_module: The module with the streams (`Stream`, `AsyncStream`) and exceptions (`APIError` and so on)
            under the names that the engine uses. It is an adapter for SDKs with other names; empty for the SDK itself.
        json_framing: The framing of events in a streamed body of the type `application/json`.
        accepts_client: Whether this record serves a client (None: the default client), for providers with several
            SDKs.
        alternatives: Records of the same provider for the clients of other SDKs. The first that accepts a client
            serves it.
        api: The name of the record's API, if the provider has several.
        apis: Records of the same provider for its other APIs, by name.
        choose_api: Returns the name of the API for a call that names none. Its arguments are the provider in the
            price table, the model and the call parameters.
        retry_rules: The statuses and codes that decide whether a request is sent again.
        once: Returns the client and the keyword arguments with which the SDK sends a request once, without its own
            retries: of a client and the keyword arguments of a call. The client itself is not changed.
        direct: The facts for requests that bypass the SDK; None if all requests go through it.
    """

    name: str
    dialect: Dialect
    sdk: str
    response: type[AnyCallResponse]
    chunk: type[AnyCallResponseChunk]
    stream: type[AnyStream]
    tool: type[BaseTool]
    clients: Clients
    prices: str = ""
    quirks: Quirks = field(default_factory=Quirks)
    stream_error: str = "APIError"
    errors: Mapping[str, str] = field(default_factory=dict)
    telemetry_name: str = ""
    operation: str = "chat"
    adapter_module: str = ""
    json_framing: Framing = "sse"
    accepts_client: Callable[[object | None], bool] = field(default=lambda client: True)
    alternatives: tuple[Provider, ...] = ()
    api: str = ""
    apis: Mapping[str, Provider] = field(default_factory=dict)
    choose_api: Callable[[str, str, Mapping[str, Any]], str] | None = None
    retry_rules: RetryRules = field(default_factory=RetryRules)
    once: Callable[[Any, dict[str, Any]], tuple[Any, dict[str, Any]]] = without_sdk_retries
    batch_api: str = ""
    direct: DirectRules | None = None

    def __post_init__(self) -> None:
        name_errors(self.sdk, self.errors)
        for role in _ROLES:
            kind = getattr(self, role)
            if isinstance(kind, type):
                object.__setattr__(self, role, _claimed(kind, self, role))

    @property
    def price_provider(self) -> str:
        """The provider in the price table."""
        return self.prices or self.name

    def for_client(self, client: object | None) -> Provider:
        """Return the record that serves a client (None: the default client)."""
        for alternative in self.alternatives:
            if alternative.accepts_client(client):
                return alternative
        return self

    def for_call(self, client: object | None, model: str, params: Mapping[str, Any]) -> Provider:
        """Return the record for a call, which depends on its client and its API.

        Args:
            client: The client; None for the default one.
            model: The model.
            params: The call parameters, as passed by the user. The parameter `api` names the API.

        Raises:
            ValueError: The provider has no API of that name.
        """
        record = self.for_client(client)
        wanted = params.get("api") or AUTO
        if wanted == AUTO:
            chosen = record.choose_api(record.price_provider, model, params) if record.choose_api else record.api
            return record.apis.get(chosen, record)
        if wanted != record.api and wanted not in record.apis:
            known = [repr(name) for name in (AUTO, record.api, *record.apis) if name]
            one_of = (
                f"one of {', '.join(known)}" if len(known) > 1 else "available only for providers with several APIs"
            )
            raise ValueError(f"`api` of {self.name!r} is {one_of}, not {wanted!r}")
        return record.apis.get(wanted, record)


def _claimed(kind: _ClassT, record: Provider, role: str) -> _ClassT:
    """Return a class with the identity of a record: the class itself, or a subclass if another record owns the
    class.
    """
    owner = vars(kind).get("_record")
    if owner is None:
        _set_record(kind, record)
        return kind
    if (owner.name, owner.price_provider, owner.quirks) == (record.name, record.price_provider, record.quirks):
        return kind
    namespace: dict[str, object] = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
    }
    if role == "chunk":
        namespace["__slots__"] = ()
    derived: Any = _derived_metaclass(type(kind))(kind.__name__, (kind,), namespace)
    _set_record(derived, record)
    derived._role = role
    return derived  # type: ignore[no-any-return]


def _set_record(kind: Any, record: Provider) -> None:
    kind._record = record
    # The attributes of v1.
    if issubclass(kind, BaseTool):
        kind.__provider__ = record.name
    else:
        kind._provider = record.name


@cache
def _derived_metaclass(metaclass: type) -> type:
    """Return a metaclass whose classes can be pickled although they are not importable by name."""
    derived = type("Derived", (metaclass,), {})
    copyreg.pickle(derived, _reduce_class)  # type: ignore[arg-type]  # a function of its instances, which are classes
    return derived


def _reduce_class(kind: Any) -> str | tuple[object, ...]:
    if "_role" not in vars(kind):  # a subclass in a program, which is importable by name
        return str(kind.__qualname__)
    return _class_of, (kind._record.name, kind._role)


def _class_of(name: str, role: str) -> type:
    kind: type = getattr(registered_record(name), role)
    return kind


def registered_record(name: str) -> Provider:
    """Return the main record of a provider, for pickles and for streams that a program creates."""
    # The registry is a layer above the engine, and nothing else in the engine needs it.
    record: Provider = import_module("ferroscope.core._registry").provider_record(name)
    return record
