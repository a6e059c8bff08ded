"""The exceptions of Cohere's SDK, and the subclasses that the engine raises for a stream.

All of them extend the SDK's `ApiError`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from cohere.core import ApiError

from ..base._responses.secrets import REDACTED
from ._clients import captured_responses

# Any: SDK objects are passed through.


class APIStatusError(ApiError):
    """An error that the provider reports inside a stream."""

    def __init__(self, message: str, *, response: Any, body: object) -> None:
        # The error is in the delta of the last event.
        reported = body.get("delta") or body if isinstance(body, dict) else {}
        super().__init__(status_code=response.status_code, body=reported or body)
        self.message = reported.get("error", message)


class APIConnectionError(ApiError):
    """A connection that broke before the response ended."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(body=message)
        self.request = request


class APITimeoutError(APIConnectionError):
    """A response that did not arrive in time."""


@contextmanager
def sdk_errors() -> Iterator[list[httpx.Response]]:
    """Capture the responses of a default client, and hide header values in the text of errors."""
    box: list[httpx.Response] = []
    captured_responses.set(box)
    try:
        yield box
    except ApiError as error:
        if 200 <= (error.status_code or 0) < 300:  # not a status error: the body is not JSON
            raise json.JSONDecodeError("not JSON", str(error.body or ""), 0) from error
        if headers := getattr(error, "headers", None):
            error.headers = _Headers(headers)
        raise
    except TypeError as error:
        if not box:  # an error of the program, such as a parameter that the SDK does not have
            raise
        # The SDK parses any JSON as a response, and fails for a list.
        raise json.JSONDecodeError("not a response", box[-1].text, 0) from error
    finally:
        captured_responses.set(None)


class _Headers(dict[str, str]):
    """Headers whose values are hidden in the representation."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, REDACTED))
