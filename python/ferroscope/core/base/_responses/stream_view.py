"""An alternative iteration over a stream, with items other than pairs of chunks and tools."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Generic, TypeVar

_ItemT = TypeVar("_ItemT")


class StreamView(Generic[_ItemT]):
    """An iterable view of a stream: with `for` for a sync call, with `async for` for an async call."""

    __slots__ = ("_aiterate", "_iterate")

    def __init__(
        self,
        iterate: Callable[[], Generator[_ItemT, None, None]],
        aiterate: Callable[[], AsyncGenerator[_ItemT, None]],
    ) -> None:
        self._iterate = iterate
        self._aiterate = aiterate

    def __iter__(self) -> Generator[_ItemT, None, None]:
        return self._iterate()

    def __aiter__(self) -> AsyncGenerator[_ItemT, None]:
        return self._aiterate()
