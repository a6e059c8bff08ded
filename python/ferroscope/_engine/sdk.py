"""The exceptions of an interrupted stream, which are instances of the SDK's class and of Ferroscope's class.

The SDKs of OpenAI, Anthropic and Groq come from one generator and share these class names. Older SDKs do not wrap
read errors of their HTTP library. Such an error gets the class that the SDK's newest version uses.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import (
    APIConnectionError,
    APIError,
    LimitExceededError,
    ProviderStreamError,
    StreamError,
    StreamInterruptedError,
)
from .common_errors import class_of_both, common_class, unify_exception
from .deadlines import DeadlinePassed

if TYPE_CHECKING:
    from .dialect import ReportedError
    from .provider import Provider

_StreamErrorT = TypeVar("_StreamErrorT", bound=StreamError)

# A client may use either library, and a process may use both.
_HTTP_LIBRARIES = ("httpx2", "httpx")


class SdkErrors:
    """The factory of the exceptions for one response."""

    def __init__(self, provider: Provider, response: object | None) -> None:
        self._provider = provider
        self._response = response

    def of_core(self, kind: str, message: str, body: Any) -> StreamError:
        """Return the exception for an error of the core.

        Args:
            kind: The kind of the error.
            message: The message.
            body: The provider's error object; None if it sent none.
        """
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
            vars(error)["message"] = own  # the SDK's attribute has only the provider's text
        return error

    def of_response(self, message: str, found: ReportedError) -> APIError:
        """Return the exception for an error that a server reported in the body of a successful response."""
        sdk_class = getattr(sys.modules.get(self._provider.adapter_module or self._provider.sdk), "APIError", None)
        if sdk_class is None:
            return APIError(message)
        kind: type[APIError] = class_of_both(APIError, sdk_class)
        error = kind.__new__(kind)
        # The SDKs do not expose the HTTP request of a response.
        sdk_class.__init__(error, message=message, request=None, body=found.body)
        error.args = (message,)
        vars(error)["message"] = found.message  # the SDK's attribute has only the server's text
        return error

    def of_read(self, error: Exception, place: Callable[[str], str]) -> Exception:
        """Return the exception for a failed read, or the error itself if it is not a network error."""
        if isinstance(error, DeadlinePassed):
            return self._both(StreamInterruptedError, "APITimeoutError", place(str(error)))
        if isinstance(error, (TimeoutError, *_classes("TimeoutException"))):
            silent = place("the provider sent nothing before the read timeout")
            return self._both(StreamInterruptedError, "APITimeoutError", silent)
        network = _classes("RequestError", "StreamError")
        if isinstance(error, (*network, ssl.SSLError, OSError)) or type(error).__name__ == "EndOfStream":
            broke = place(f"the connection broke before the stream ended: {error}")
            return self._both(StreamInterruptedError, "APIConnectionError", broke, message=broke)
        self._claim(error, place)
        unify_exception(error, self._provider.sdk)
        return error

    def _claim(self, error: Exception, place: Callable[[str], str]) -> None:
        """Make an exception from the SDK's own iteration an instance of Ferroscope's class too, with the place."""
        common = common_class(type(error))
        packages = {base.__module__.partition(".")[0] for base in type(error).__mro__}
        if common is None or self._provider.sdk.partition(".")[0] not in packages:
            return
        own_class = StreamInterruptedError if issubclass(common, APIConnectionError) else ProviderStreamError
        with suppress(TypeError):  # the memory layouts of the classes differ, so the error keeps its class
            error.__class__ = class_of_both(own_class, type(error))
            error.args = (place(str(error)),)

    def _both(self, own_class: type[_StreamErrorT], name: str, text: str, **fields: Any) -> _StreamErrorT:
        """Return an exception of Ferroscope's class and of the SDK's class of that name, which accepts `fields`."""
        sdk_class = getattr(sys.modules.get(self._provider.adapter_module or self._provider.sdk), name, None)
        request = getattr(self._response, "request", None)
        # A deadline may pass before the request exists.
        if sdk_class is None or (request is None and name != "APITimeoutError"):
            return own_class(text)
        kind: type[_StreamErrorT] = class_of_both(own_class, sdk_class)
        error = kind.__new__(kind)
        # The constructor takes the response for errors with a status, and the request for others.
        source = {"response": self._response} if "Status" in name else {"request": request}
        sdk_class.__init__(error, **source, **fields)
        error.args = (text,)
        return error


def _classes(*names: str) -> tuple[type[Exception], ...]:
    """Return the classes with these names in the loaded HTTP libraries."""
    loaded = (sys.modules.get(library) for library in _HTTP_LIBRARIES)
    found = (getattr(module, name, None) for module in loaded if module is not None for name in names)
    return tuple(kind for kind in found if isinstance(kind, type))
