"""The exceptions of AWS's SDKs, with the attributes that the engine reads.

https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError, ReadTimeoutError

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


class APIError(EventStreamError):  # type: ignore[misc]  # the base class is untyped
    """An error that the service reports inside a stream."""

    def __init__(self, message: str, *, request: object, body: object) -> None:
        reported = body if isinstance(body, dict) else {}
        reported = reported.get("error", reported)
        error = {"Code": reported.get("type") or "Unknown", "Message": reported.get("message") or message}
        super().__init__({"Error": error}, "ConverseStream")
        self.request = request
        self.body = body


class APIConnectionError(ConnectionClosedError):  # type: ignore[misc]  # the base class is untyped
    """A connection that broke before the response ended."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(endpoint_url=request)
        self.request = request


class APITimeoutError(ReadTimeoutError):  # type: ignore[misc]  # the base class is untyped
    """A response that did not arrive in time."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(endpoint_url=request)
        self.request = request
