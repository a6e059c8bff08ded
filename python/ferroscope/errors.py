"""The exceptions of calls: Ferroscope's own and those of the SDKs, in one tree.

    FerroscopeError
    ├── APIError                        a provider rejected a call, was unreachable, or sent no response
    │   ├── APIStatusError              an HTTP error status: BadRequestError, AuthenticationError,
    │   │                               PermissionDeniedError, NotFoundError, ConflictError,
    │   │                               UnprocessableEntityError, RateLimitError, InternalServerError
    │   ├── APIConnectionError          no response arrived
    │   │   └── APITimeoutError         no response arrived in time
    │   └── MissingApiKeyError          no API key is set; nothing was sent
    ├── HedgeLostError                  another request of the same call was answered first; only in its attempts
    ├── StreamError                     a stream violates its protocol
    │   ├── StreamInterruptedError      the connection broke or stalled before the stream ended
    │   ├── ProviderStreamError         the provider reported an error inside the stream
    │   ├── LimitExceededError          a stream exceeded a limit
    │   └── BudgetExceededError         a meter's budget is exceeded
    ├── ResponseModelError (ValueError) the response is not valid JSON for the response model
    ├── ToolError (ValueError)          a tool call cannot be converted to its tool
    │   ├── ToolArgumentsError          its arguments are not a JSON object
    │   └── UnknownToolError (RuntimeError)
    │                                   its name is not one of the tools of the call
    ├── ClientError (TypeError)         a client does not belong to the provider's SDK
    ├── TemplateError (ValueError)      a prompt template is invalid; raised at decoration
    │   └── TemplateVariableError (KeyError)
    │                                   a template variable has no value; raised by the call. Decoration emits a
    │                                   UserWarning for a variable that no call can fill
    ├── UnknownPriceError (LookupError) no price is known, and the program requires one
    └── MissingExtraError (ImportError) a provider's SDK is not installed
An exception that an SDK raises from a call keeps its class, request, response and body. It is also an instance of
the class with the same name in this module. So `except openai.RateLimitError` and
`except ferroscope.RateLimitError` both catch it, the latter from every provider. The same holds for errors inside a
stream: a broken connection raises an exception that is a `StreamInterruptedError`, an `APIConnectionError` and the
SDK's `APIConnectionError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core.base.call_response import AnyCallResponse
    from .core.base.retry import Attempt


__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetExceededError",
    "ClientError",
    "ConflictError",
    "FerroscopeError",
    "HedgeLostError",
    "InternalServerError",
    "LimitExceededError",
    "MissingApiKeyError",
    "MissingExtraError",
    "NotFoundError",
    "PermissionDeniedError",
    "ProviderStreamError",
    "RateLimitError",
    "ResponseModelError",
    "StreamError",
    "StreamInterruptedError",
    "TemplateError",
    "TemplateVariableError",
    "ToolArgumentsError",
    "ToolError",
    "UnknownPriceError",
    "UnknownToolError",
    "UnprocessableEntityError",
]


class FerroscopeError(Exception):
    """The root of all exceptions of Ferroscope."""


class APIError(FerroscopeError):
    """A provider refused a call, was unreachable, or sent a body that is not a response.

    Also an instance of the SDK's own exception, with its attributes, except for a body that is not JSON.

    Attributes:
        partial: The response parsed from a body that reports an error under a success status, with the text before
            the error; None in all other cases.
        attempts: The failed requests of a call with the option `retry`, the last one included; else empty.
    """

    # Provider response classes are generic over SDK types; an error cannot name one of them.
    partial: AnyCallResponse | None = None
    attempts: tuple[Attempt, ...] = ()


class MissingApiKeyError(APIError):
    """No API key is set for a provider; nothing was sent."""


class APIStatusError(APIError):
    """The provider responded with an HTTP error status.

    Attributes:
        status_code: The status.
    """

    status_code: int


class BadRequestError(APIStatusError):
    """The request is malformed (400)."""


class AuthenticationError(APIStatusError):
    """The API key is missing or invalid (401)."""


class PermissionDeniedError(APIStatusError):
    """The API key does not permit the request (403)."""


class NotFoundError(APIStatusError):
    """The model or resource does not exist (404)."""


class ConflictError(APIStatusError):
    """The request conflicts with the state of the resource (409)."""


class UnprocessableEntityError(APIStatusError):
    """The request is well-formed but invalid (422)."""


class RateLimitError(APIStatusError):
    """Too many requests or tokens, or an exhausted quota (429)."""


class InternalServerError(APIStatusError):
    """The provider failed (500 and above)."""


class APIConnectionError(APIError):
    """The provider was unreachable, or the connection broke."""


class APITimeoutError(APIConnectionError):
    """The provider did not respond before a timeout."""


class HedgeLostError(FerroscopeError):
    """A request that was closed because another request of the same call answered first (`Retry.hedge_after`)."""


class StreamError(FerroscopeError):
    """A stream that cannot be continued.

    Attributes:
        partial: The response received before the error; None if nothing was received.
        event: Number of the event that caused the error, from 1; None if no event caused it.
        offset: Byte of the body at which that event's data begins, from 0; None when unknown.
    """

    # Provider response classes are generic over SDK types; an error cannot name one of them.
    partial: AnyCallResponse | None = None
    event: int | None = None
    offset: int | None = None


class StreamInterruptedError(StreamError):
    """The connection broke, or passed a deadline, before the stream ended."""


class ProviderStreamError(StreamError):
    """The provider reported an error inside a stream with a success status."""


class LimitExceededError(StreamError):
    """A stream exceeded one of its limits (`stream={"limits": {...}}` sets them)."""


class ResponseModelError(FerroscopeError, ValueError):
    """A response that is not valid JSON for the response model.

    Attributes:
        text: The text of the response exactly as received.
        response: The complete response. `_response` is an alias, as on every extraction error.
    """

    def __init__(self, message: str, *, text: str, response: AnyCallResponse) -> None:
        super().__init__(message)
        self.text = text
        self.response = self._response = response

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), self.args), vars(self)


class ToolError(FerroscopeError, ValueError):
    """A tool call that cannot be converted to its tool.

    Attributes:
        name: Name of the tool as the model wrote it.
        call_id: The provider's id of the call, if it sent one.
        arguments: The arguments exactly as received.
    """

    def __init__(self, message: str, *, name: str, call_id: str | None, arguments: str) -> None:
        super().__init__(message)
        self.name = name
        self.call_id = call_id
        self.arguments = arguments

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), self.args), vars(self)


class ToolArgumentsError(ToolError):
    """The arguments of a tool call are not a JSON object."""


class UnknownToolError(ToolError, RuntimeError):
    """The model called a tool that the call did not offer."""


class ClientError(FerroscopeError, TypeError):
    """The client does not belong to the provider's SDK."""


class TemplateError(FerroscopeError, ValueError):
    """A prompt template is invalid; the message quotes the invalid part."""


class TemplateVariableError(TemplateError, KeyError):
    """A variable of a prompt template has no value; the message names it and the known variables."""

    # `KeyError.__str__` would put the message in quotes.
    __str__ = Exception.__str__


class BudgetExceededError(StreamError):
    """A meter's budget was exceeded during a stream, or before a call was sent."""


class UnknownPriceError(FerroscopeError, LookupError):
    """The price of a call is unknown, and the program required its cost."""


class MissingExtraError(FerroscopeError, ImportError):
    """A provider's SDK is not installed; the message names the extra that installs it."""


def _rebuilt(kind: type[FerroscopeError], args: tuple[object, ...]) -> FerroscopeError:
    """Return an exception of a class whose constructor has required keywords, for a pickle or a copy."""
    error = kind.__new__(kind, *args)
    error.args = args
    return error
