"""Errors for another process. A pickled exception of an SDK has no response, and so no headers."""

from __future__ import annotations

import pickle
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .._engine.error_facts import headers_of
from ..core.base.retry import Attempt
from ._results import RecordedError

# The headers that decide whether and when a request is sent again.
_HEADERS = ("retry-after", "retry-after-ms", "x-should-retry")


def portable(error: Any) -> Exception:  # Any: attributes are set on the exception
    """Return an error that can be pickled and decides about retries like this one."""
    headers = headers_of(error)
    with suppress(AttributeError):  # an exception of the program with slots alone
        if kept := {name: headers[name] for name in _HEADERS if name in headers}:
            error._retry_headers = kept
        if isinstance(attempts := getattr(error, "attempts", None), tuple):
            # The last one refers to the error itself, which a pickle cannot represent.
            error.attempts = tuple(_without_cycle(one) for one in attempts)
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RecordedError(type(error).__name__, str(error))
    return error  # type: ignore[no-any-return]


def _without_cycle(attempt: Attempt) -> Attempt:
    own = attempt.error
    return attempt if own is None else replace(attempt, error=RecordedError(type(own).__name__, str(own)))
