"""The exceptions of the SDKs: what breaks a stream is raised as the SDK would raise it, and as ours.

The SDKs of OpenAI, Anthropic and Groq are made by one generator and name these classes alike. Read errors
that an older SDK lets through as its HTTP library's get the class that its own newest version gives them.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from ..errors import LimitExceededError, ProviderStreamError, StreamError, StreamInterruptedError

# A client may come with either; a process may have both.
_HTTP_LIBRARIES = ("httpx2", "httpx")


class SdkErrors:
    """Makes exceptions that belong to one request."""

    def __init__(self, sdk: str, request: object | None) -> None:
        self._sdk = sdk
        self._request = request

    def of_core(self, kind: str, message: str, body: Any) -> StreamError:
        """The exception for an error of the core: its kind, its message, the provider's error if it sent one."""
        if kind == "limit":
            return LimitExceededError(message)
        if kind != "provider":
            return StreamError(message)
        own = body.get("message") if isinstance(body, dict) else None
        error = self._both(ProviderStreamError, "APIError", message, body=body)
        if isinstance(own, str) and hasattr(error, "message"):
            error.message = own  # the SDK's attribute holds the provider's words alone
        return error

    def of_read(self, error: Exception, place: Callable[[str], str]) -> Exception:
        """The exception for a read that failed, or the error itself if it is none of the network's."""
        if isinstance(error, _classes("TimeoutException")):
            message = place("the provider was silent for too long")
            return self._both(StreamInterruptedError, "APITimeoutError", message)
        network = _classes("RequestError", "StreamError")
        if isinstance(error, (*network, ssl.SSLError, OSError)) or type(error).__name__ == "EndOfStream":
            message = place(f"the connection broke before the stream ended: {error}")
            return self._both(StreamInterruptedError, "APIConnectionError", message)
        return error

    def _both(self, ours: type[StreamError], name: str, message: str, **extra: Any) -> Any:
        theirs = getattr(sys.modules.get(self._sdk), name, None)
        if theirs is None or self._request is None:
            return ours(message)
        error = _class_of_both(ours, theirs).__new__(_class_of_both(ours, theirs), message)
        if name == "APITimeoutError":
            theirs.__init__(error, request=self._request)
        else:
            theirs.__init__(error, message=message, request=self._request, **extra)
        error.args = (message,)
        return error


@cache
def _class_of_both(ours: type[StreamError], theirs: type[Exception]) -> type[Exception]:
    """A class that an `except` clause for either catches."""
    return type(ours.__name__, (ours, theirs), {"__module__": ours.__module__, "__doc__": ours.__doc__})


def _classes(*names: str) -> tuple[type[Exception], ...]:
    """The classes of that name in the HTTP libraries that are loaded."""
    loaded = (sys.modules.get(library) for library in _HTTP_LIBRARIES)
    found = (getattr(module, name, None) for module in loaded if module is not None for name in names)
    return tuple(kind for kind in found if isinstance(kind, type))
