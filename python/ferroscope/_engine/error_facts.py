"""The data in SDK exceptions that decides whether and when a request is sent again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from pydantic_core import from_json

from .. import errors
from ..core.base.retry import RetriedFailure

# Any: JSON, and the attributes of an SDK's exceptions.

_MEMBERS: Final = ("error", "Error", "detail")
_NAMES: Final = ("code", "type", "status", "Code", "__type")
# https://platform.openai.com/docs/guides/error-codes, and the codes of servers with the same format
_SPENT: Final = frozenset(
    {
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_balance",
        "insufficient_quota",
        "quota_exceeded",
        "usage_limit_reached",
    }
)
_TOO_LONG: Final = frozenset({"context_length_exceeded", "model_context_window_exceeded", "string_above_max_length"})
# Errors inside a stream have no status.
_REFUSED: Final = frozenset(
    {
        "authentication_error",
        "billing_error",
        "content_filter",
        "invalid_prompt",
        "invalid_request_error",
        "not_found_error",
        "permission_error",
        "request_too_large",
        "validationException",
        "ValidationException",
        "INVALID_ARGUMENT",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
    }
)
# Quotas per day or month, by their ids or in the text.
_LONG_PERIOD: Final = re.compile(r"per[ _-]?day|daily|per[ _-]?month|monthly", re.IGNORECASE)
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# https://platform.openai.com/docs/guides/rate-limits
_LIMIT_HEADERS: Final = tuple(
    (f"x-ratelimit-remaining-{kind}", f"x-ratelimit-reset-{kind}") for kind in ("requests", "tokens")
)
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)s")


@dataclass(frozen=True, slots=True)
class RetryRules:
    """A provider's statuses and codes that decide whether a request is sent again.

    Attributes:
        statuses: The statuses that are retried, besides those from 500 on.
        final_codes: The codes, types and status names that are never retried, regardless of the status: exhausted
            quotas, prompts that are too long.
        limit_headers: The headers with the remaining part of a limit, and with the time until it is reset.
    """

    statuses: frozenset[int] = frozenset({408, 409, 429})
    final_codes: frozenset[str] = _SPENT | _TOO_LONG
    limit_headers: tuple[tuple[str, str], ...] = _LIMIT_HEADERS


def failure_of(error: Exception, rules: RetryRules) -> RetriedFailure | None:
    """Return the kind of a failure that another request may avoid; None for a final failure."""
    if isinstance(error, errors.MissingApiKeyError):
        return None
    if isinstance(error, errors.APIConnectionError | errors.StreamInterruptedError):
        return "connection"
    if not isinstance(error, errors.APIError | errors.ProviderStreamError):
        return None
    asked = headers_of(error).get("x-should-retry")
    if asked in ("true", "false"):
        return "status" if asked == "true" else None
    body, status = body_of(error), getattr(error, "status_code", None)
    words = set(_words(body))
    # With status 200 or none, the error was in the body.
    if not isinstance(status, int) or status < 400:
        status = next((int(word) for word in words if word.isdigit()), None)
    if status is None:
        in_stream = isinstance(error, errors.ProviderStreamError | errors.InternalServerError)
        passes = in_stream and words.isdisjoint(_REFUSED)
    else:
        passes = status >= 500 or status in rules.statuses
    if not passes or not words.isdisjoint(rules.final_codes):
        return None
    if status == 429 and any(map(_LONG_PERIOD.search, _texts(body))):
        return None
    return "status"


def is_rate_limit(error: Exception) -> bool:
    """Return whether a provider refused a request because of a rate limit."""
    return isinstance(error, errors.RateLimitError)


def retry_after(error: Exception) -> float | None:
    """Return the wait in seconds that the server requests; None if it requests none."""
    headers = headers_of(error)
    with suppress(TypeError, ValueError):
        return max(0.0, float(headers["retry-after-ms"]) / 1000) if "retry-after-ms" in headers else _seconds(headers)
    # https://google.aip.dev/193: `google.rpc.RetryInfo`
    for detail in _details(body_of(error)):
        if found := _SECONDS.fullmatch(str(detail.get("retryDelay", ""))):
            return float(found[1])
    return None


def _seconds(headers: Mapping[str, str]) -> float:
    text = headers.get("retry-after", "")
    try:
        return max(0.0, float(text))
    except ValueError:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())


def headers_of(error: Any) -> Mapping[str, str]:
    """Return the headers of the response in an SDK's exception, under lower-case names."""
    response = getattr(error, "response", None)
    places = (response, getattr(error, "raw_response", None), error)
    found: list[Any] = [getattr(place, "headers", None) for place in places]
    found.append(getattr(error, "_retry_headers", None))  # of an exception from another process
    if isinstance(response, Mapping):
        found.append((response.get("ResponseMetadata") or {}).get("HTTPHeaders"))
    return plain_headers(next((one for one in found if one), None))


def plain_headers(headers: Any) -> Mapping[str, str]:
    """Return headers of any HTTP library under lower-case names."""
    try:
        return {str(name).lower(): str(value) for name, value in headers.items()}
    except (AttributeError, TypeError, ValueError):
        return {}


def exhausted(headers: Mapping[str, str], rules: RetryRules) -> float | None:
    """Return the seconds until an exhausted limit is reset; None if no limit is exhausted."""
    waits = [
        seconds
        for remaining, reset in rules.limit_headers
        if headers.get(remaining) == "0" and (seconds := _until(headers.get(reset, ""))) is not None
    ]
    return max(waits, default=None)


def _until(text: str) -> float | None:
    """Return the seconds in a duration ("6m0s", "20ms", "1.5") or until a time of RFC 3339."""
    with suppress(ValueError):
        return max(0.0, float(text))
    if re.fullmatch(f"(?:{_DURATION.pattern})+", text):
        return sum(float(amount) * _UNITS[unit] for amount, unit in _DURATION.findall(text))
    with suppress(ValueError):
        return max(0.0, datetime.fromisoformat(text).timestamp() - time.time())
    return None


def body_of(error: Any) -> Any:
    """Return the JSON of the response in an SDK's exception; None if it has none."""
    response = getattr(error, "response", None)
    found: list[Any] = [getattr(error, name, None) for name in ("body", "details", "response_json")]
    found.append(response if isinstance(response, Mapping) else None)
    for value in found:
        if isinstance(value, str | bytes) and value:
            with suppress(ValueError):
                return from_json(value)
        elif isinstance(value, Mapping | list) and value:
            return value
    with suppress(Exception):  # the body of the response is no longer available
        return from_json(_text_of(response))
    return None


def _text_of(response: Any) -> Any:
    text = getattr(response, "text", "")
    return text() if callable(text) else text


def _objects(body: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of an error: the body, or the first of a list of bodies, and the error in it."""
    while isinstance(body, list):
        body = body[0] if body else None
    if isinstance(body, Mapping):
        yield body
        for name in _MEMBERS:
            yield from _objects(body.get(name))


def _words(body: Any) -> Iterator[str]:
    for one in _objects(body):
        for name in _NAMES:
            if isinstance(word := one.get(name), str | int):
                yield str(word)


def _details(body: Any) -> Iterator[Mapping[str, Any]]:
    for one in _objects(body):
        details = one.get("details")
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, Mapping):
                yield detail


def _texts(body: Any) -> Iterator[str]:
    """Yield the message of an error, and the ids of the quotas that were exceeded."""
    for one in _objects(body):
        yield str(one.get("message") or one.get("Message") or "")
    for detail in _details(body):
        for violation in detail.get("violations") or ():
            yield str(violation.get("quotaId", "")) if isinstance(violation, Mapping) else ""
