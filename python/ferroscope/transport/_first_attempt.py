"""The first request that an SDK sends through a transport, seen or answered by other code.

The SDK builds the request and reads the answer as always. So its own code decides about headers, retries and errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

# Any: a request and a response of httpx or httpx2.
Answer: TypeAlias = Callable[[Any], Any]

_first: ContextVar[tuple[object, Answer] | None] = ContextVar("first attempt", default=None)


@contextmanager
def answering(transport: object, answer: Answer) -> Iterator[None]:
    """Let a function answer the first request that is sent through a transport in this context."""
    token = _first.set((transport, answer))
    try:
        yield
    finally:
        _first.reset(token)


def first_answer(transport: object) -> Answer | None:
    """Return the function that answers the next request of a transport, once; None to send it."""
    found = _first.get()
    if found is None or found[0] is not transport:
        return None
    _first.set(None)
    return found[1]
