"""The common view of a provider: its record with responses in the form that all providers share."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, cast

from .._engine.provider import Provider
from ..core._registry import on_unregister, provider_record
from ..core.base.stream import StreamDriver
from .call_response import CallResponse
from .call_response_chunk import CallResponseChunk
from .stream import Stream


@cache
def common_view_record(name: str) -> Provider:
    """Return the record of a provider whose responses, chunks and streams are wrapped in the common classes.

    Raises:
        ValueError: The provider is unknown.
        ferroscope.errors.MissingExtraError: The provider's SDK is not installed.
    """
    return _common_view(provider_record(name))


on_unregister.append(common_view_record.cache_clear)


def _common_view(provider: Provider) -> Provider:
    def response(**fields: Any) -> CallResponse:
        return CallResponse(provider.response(**fields))

    def stream(run: StreamDriver, **fields: Any) -> Stream:
        return Stream(stream=provider.stream(run, **{**fields, "call_response_type": provider.response}))

    class Chunk(CallResponseChunk):
        __slots__ = ()
        _kind = provider.chunk

    Chunk.__name__ = Chunk.__qualname__ = CallResponseChunk.__name__
    Chunk.__module__ = CallResponseChunk.__module__
    return replace(
        provider,
        response=cast("Any", response),
        chunk=Chunk,
        stream=cast("Any", stream),
        alternatives=tuple(map(_common_view, provider.alternatives)),
        apis={name: _common_view(record) for name, record in provider.apis.items()},
    )
