"""The exceptions of AWS's SDKs, with the attributes that the engine reads.

https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EventStreamError,
    HTTPClientError,
    ReadTimeoutError,
)

_LIBRARIES: Final = ("aiohttp", "urllib3")
# Error codes without a class in botocore. Their status, 400 or 403, does not identify them.
_AUTHENTICATION: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_AuthenticationError: Final = type("AuthenticationError", (ClientError,), {"__module__": "botocore.exceptions"})


@contextmanager
def completed_errors() -> Iterator[None]:
    """Set the HTTP status on errors of the service, and give authentication errors a class of their own."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if isinstance(status, int):
            vars(error)["status_code"] = status
        if type(error) is ClientError and error.response.get("Error", {}).get("Code") in _AUTHENTICATION:
            error.__class__ = _AuthenticationError
        raise


@contextmanager
def stream_errors() -> Iterator[None]:
    """Convert the SDK's error of a stream to `APIError`."""
    try:
        yield
    except EventStreamError as error:
        reported = error.response.get("Error", {})
        raise APIError(
            str(error),
            request=error.operation_name,
            body={"message": reported.get("Message"), "type": reported.get("Code")},
        ) from error


@contextmanager
def network_errors() -> Iterator[None]:
    """Convert the errors of the HTTP libraries to the built-in network errors."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _LIBRARIES and not isinstance(error, HTTPClientError):
            raise
        late = any(kind.__name__ == "TimeoutError" for kind in type(error).__mro__)
        raise (TimeoutError if late else ConnectionError)(str(error)) from error


class APIError(EventStreamError):  # type: ignore[misc]  # the base class is untyped
    """An error that the service reports inside a stream."""

    def __init__(self, message: str, *, request: object, body: object) -> None:
        reported = body if isinstance(body, dict) else {}
        reported = reported.get("error", reported)
        error = {"Code": reported.get("type") or "Unknown", "Message": reported.get("message") or message}
        super().__init__({"Error": error}, "ConverseStream")
        self.request = request
        self.body = body


class _WithEndpoint(Exception):
    """A base of the exceptions for a connection that broke, before the SDK's class, which formats its own message."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(endpoint_url=request)  # type: ignore[call-arg]  # the parameter of the SDK's class
        self.request = request


class APIConnectionError(_WithEndpoint, ConnectionClosedError):  # type: ignore[misc]  # the base class is untyped
    """A connection that broke before the response ended."""


class APITimeoutError(_WithEndpoint, ReadTimeoutError):  # type: ignore[misc]  # the base class is untyped
    """A response that did not arrive in time."""
