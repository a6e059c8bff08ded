"""Who is called: everything in which one provider differs from another with the same wire format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.base.call_response import BaseCallResponse
from ..core.base.call_response_chunk import BaseCallResponseChunk
from ..core.base.stream import BaseStream
from ..core.base.tool import BaseTool
from .clients import Clients
from .dialect import Dialect


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, as data.

    Attributes:
        name: The name that users write.
        dialect: The wire format it speaks.
        sdk: The module of its SDK.
        adapter_module: The module with the streams (`Stream`, `AsyncStream`) and exceptions (`APIError` and its like)
            under the names that the engine uses: an adapter for an SDK with other names; empty for the SDK itself.
        response: What a call returns.
        chunk: What a stream consists of.
        stream: What a streamed call returns.
        tool: What tools are made into.
        clients: How default clients are made.
        stream_error: The SDK's class for an error that the provider reports inside a stream.
        quirks: What it does differently in the same format; keyword arguments of the core's decoder.
        accepts_client: Whether a client (None: the default one) is this record's, of a provider that several SDKs call.
        alternatives: The same provider through the clients of other SDKs; the first that takes a client serves it.
    """

    name: str
    dialect: Dialect
    sdk: str
    # Any: each provider fills the type parameters of its own classes.
    response: type[BaseCallResponse[Any, Any, Any, Any, Any, Any, Any]]
    chunk: type[BaseCallResponseChunk[Any, Any]]
    stream: type[BaseStream[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any]]
    tool: type[BaseTool]
    clients: Clients
    stream_error: str = "APIError"
    quirks: Mapping[str, Any] = field(default_factory=dict)
    adapter_module: str = ""
    accepts_client: Callable[[object | None], bool] = field(default=lambda client: True)
    alternatives: tuple[Provider, ...] = ()

    def for_client(self, client: object | None) -> Provider:
        """The record by which a client (None: the default one) is called."""
        return next((alternative for alternative in self.alternatives if alternative.accepts_client(client)), self)
