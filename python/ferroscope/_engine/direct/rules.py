"""The knowledge of an SDK that the direct way needs, as data of a provider's record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

# The attributes of a client that determine its requests, in every version of the SDKs from the common generator.
_STATE: Final = (
    "_base_url",
    "_client",
    "_custom_headers",
    "_custom_query",
    "_timeout",
    "api_key",
    "auth_token",
    "max_retries",
    "organization",
    "project",
    "timeout",
)
# The attributes of a client that make each request different, or that see each request.
_ABSENT: Final = (
    "_api_key_provider",
    "_idempotency_header",
    "_middleware",
    "_provider_runtime",
    "_strict_response_validation",
    "credentials",
    "custom_auth",
    "workload_identity",
)


@dataclass(frozen=True, slots=True)
class DirectRules:
    """The facts about an SDK from the common generator.

    Attributes:
        clients: The names of the classes of clients whose requests may bypass the SDK. Their subclasses do not.
        method: The path from a client to the method that sends requests, such as `"chat.completions.create"`.
        content: The keyword arguments of that method that change only the body of the request.
        request_id: The header with the id of a response; empty if the SDK's objects have no such id.
        arguments: Returns the keyword arguments for the method: of a client and the keyword arguments of a call.
        reason_against: Returns the reason why a client must use its SDK now, or None. It is called for each request;
            None if there is no such reason.
        state: The attributes of a client that determine its requests.
        absent: The attributes of a client that must be empty.
    """

    clients: frozenset[str]
    method: str
    content: frozenset[str]
    request_id: str = "x-request-id"
    # Any: a client of the SDK
    arguments: Callable[[Any, dict[str, Any]], dict[str, Any]] = lambda client, kwargs: kwargs
    reason_against: Callable[[Any], str | None] | None = None
    state: tuple[str, ...] = _STATE
    absent: tuple[str, ...] = _ABSENT
