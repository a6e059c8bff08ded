"""A provider's record whose answers have the common form."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, cast

from .._engine.provider import Provider
from ..core.base.stream import Running
from ._providers import provider_record
from .call_response import CallResponse
from .call_response_chunk import CallResponseChunk
from .stream import Stream


@cache
def dressed_record(name: str) -> Provider:
    """A provider whose responses, chunks and streams are the common ones around its own.

    Raises:
        ValueError: There is no such provider.
        ferroscope.errors.MissingExtraError: Its SDK is not installed.
    """
    return _dressed(provider_record(name))


def _dressed(provider: Provider) -> Provider:
    def response(**facts: Any) -> CallResponse:
        return CallResponse(provider.response(**facts))

    def stream(run: Running, **facts: Any) -> Stream:
        return Stream(stream=provider.stream(run, **{**facts, "call_response_type": provider.response}))

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
        variants=tuple(map(_dressed, provider.variants)),
    )
