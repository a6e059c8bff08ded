"""The exceptions of the SDKs: what breaks a stream is raised as the SDK would raise it, and as ours.

The SDKs of OpenAI, Anthropic and Groq are made by one generator and name these classes alike. Read errors
that an older SDK lets through as its HTTP library's get the class that its own newest version gives them.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import APIError, LimitExceededError, ProviderStreamError, StreamError, StreamInterruptedError
from .common_errors import class_of_both, unify_exception
from .deadlines import DeadlinePassed

if TYPE_CHECKING:
    from .dialect import ReportedError
    from .provider import Provider

_StreamErrorT = TypeVar("_StreamErrorT", bound=StreamError)

# A client may come with either; a process may have both.
_HTTP_LIBRARIES = ("httpx2", "httpx")


class SdkErrors:
    """Makes exceptions that belong to one response."""

    def __init__(self, provider: Provider, response: object | None) -> None:
        self._provider = provider
        self._response = response

    def of_core(self, kind: str, message: str, body: Any) -> StreamError:
        """Return the exception for an error of the core: its kind, its message, the provider's error if it sent one."""
        if kind == "limit":
            return LimitExceededError(message)
        if kind == "unfinished":
            return self._both(StreamInterruptedError, "APIConnectionError", message, message=message)
        if kind != "provider":
            return StreamError(message)
        error = self._both(ProviderStreamError, self._provider.stream_error, message, message=message, body=body)
        reported = body.get("error", body) if isinstance(body, dict) else body
        own = reported.get("message") if isinstance(reported, dict) else reported
        if isinstance(own, str):
            vars(error)["message"] = own  # the SDK's attribute holds the provider's words alone
        return error

    def of_response(self, message: str, found: ReportedError) -> APIError:
        """Return the exception for an error that a server reported in the body of a successful response."""
        theirs = getattr(sys.modules.get(self._provider.adapter_module or self._provider.sdk), "APIError", None)
        if theirs is None:
            return APIError(message)
        kind: type[APIError] = class_of_both(APIError, theirs)
        error = kind.__new__(kind)
        # The SDKs do not hand out the HTTP request of a response.
        theirs.__init__(error, message=message, request=None, body=found.body)
        error.args = (message,)
        vars(error)["message"] = found.message  # the SDK's attribute has the server's words alone
        return error

    def of_read(self, error: Exception, place: Callable[[str], str]) -> Exception:
        """Return the exception for a read that failed, or the error itself if it is none of the network's."""
        if isinstance(error, DeadlinePassed):
            return self._both(StreamInterruptedError, "APITimeoutError", place(str(error)))
        if isinstance(error, (TimeoutError, *_classes("TimeoutException"))):
            silent = place("the provider was silent for too long")
            return self._both(StreamInterruptedError, "APITimeoutError", silent)
        network = _classes("RequestError", "StreamError")
        if isinstance(error, (*network, ssl.SSLError, OSError)) or type(error).__name__ == "EndOfStream":
            broke = place(f"the connection broke before the stream ended: {error}")
            return self._both(StreamInterruptedError, "APIConnectionError", broke, message=broke)
        self._claim(error)
        unify_exception(error, self._provider.sdk)
        return error

    def _claim(self, error: Exception) -> None:
        """Makes what the SDK raised in its own iteration ours too, as it would be if we had read the bytes."""
        sdk = sys.modules.get(self._provider.adapter_module or self._provider.sdk)
        # The order matters: a broken connection is one kind of error to some SDKs.
        for ours, name in (
            (StreamInterruptedError, "APIConnectionError"),
            (ProviderStreamError, self._provider.stream_error),
        ):
            theirs = getattr(sdk, name, None)
            if theirs is not None and isinstance(error, theirs):
                with suppress(TypeError):  # its instances are laid out in another way: it stays the SDK's alone
                    error.__class__ = class_of_both(ours, type(error))
                return

    def _both(self, ours: type[_StreamErrorT], name: str, text: str, **fields: Any) -> _StreamErrorT:
        """Our exception, which is also the SDK's of that name; `fields` are what the SDK's takes."""
        theirs = getattr(sys.modules.get(self._provider.adapter_module or self._provider.sdk), name, None)
        request = getattr(self._response, "request", None)
        # A deadline may pass before there is a request to speak of.
        if theirs is None or (request is None and name != "APITimeoutError"):
            return ours(text)
        kind: type[_StreamErrorT] = class_of_both(ours, theirs)
        error = kind.__new__(kind)
        # Errors with a status are made of the response, the others of the request.
        whence = {"response": self._response} if "Status" in name else {"request": request}
        theirs.__init__(error, **whence, **fields)
        error.args = (text,)
        return error


def _classes(*names: str) -> tuple[type[Exception], ...]:
    """Return the classes of that name in the HTTP libraries that are loaded."""
    loaded = (sys.modules.get(library) for library in _HTTP_LIBRARIES)
    found = (getattr(module, name, None) for module in loaded if module is not None for name in names)
    return tuple(kind for kind in found if isinstance(kind, type))
