"""LiteLLM's exceptions under the engine's names, with the constructors that the engine calls.

https://docs.litellm.ai/docs/exception_mapping
"""

from __future__ import annotations

from litellm import exceptions

# An error in the body of a successful response has no status of its own.
_OK = 200


class APIError(exceptions.APIError):
    """An error that the provider reports in a body with a status of success."""

    def __init__(self, message: str, *, request: object = None, body: object = None) -> None:
        super().__init__(_OK, message, "", "", body=body)
        self.request = request  # type: ignore[assignment]  # the request that was sent, of the HTTP client's class


class APIConnectionError(exceptions.APIConnectionError):
    """A connection that broke before the response ended."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(message, "", "")
        self.request = request  # type: ignore[assignment]  # the request that was sent, of the HTTP client's class


class APITimeoutError(exceptions.Timeout):
    """A response that did not arrive in time."""

    def __init__(self, message: str = "", *, request: object = None) -> None:
        super().__init__(message, "", "")
        self.request = request  # type: ignore[assignment]  # the request that was sent, of the HTTP client's class
