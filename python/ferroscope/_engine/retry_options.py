"""The options `retry=` and `rate_limit=`, read at decoration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..core.base.retry import RateLimit, Retry
from ..errors import MissingExtraError
from .dialect import ContinuesText

if TYPE_CHECKING:
    from .provider import Provider


def plan_retry(given: int | Retry | None, rate_limit: RateLimit | None) -> Retry | None:
    """Return the retry policy of a call; None if the SDK itself retries.

    Raises:
        TypeError: The option has a value of another type.
        ValueError: The value is not a valid number of requests.
        ferroscope.errors.MissingExtraError: tenacity is not installed.
    """
    if given is None and rate_limit is None:
        return None
    try:
        import tenacity  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "`retry` needs the package 'tenacity': install it with `pip install 'ferroscope[tenacity]'`",
            name="tenacity",
        ) from error
    if rate_limit is not None and not isinstance(rate_limit, RateLimit):
        raise TypeError(f"`rate_limit` is a `RateLimit`, not {rate_limit!r}")
    if given is None:
        return Retry(on=("status", "connection"))
    if isinstance(given, Retry):
        return given
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"`retry` must be a number of attempts or a `Retry`, not {given!r}")
    return Retry(attempts=given)


def can_prefill(provider: Provider, model: str) -> bool:
    """Return whether a model continues an assistant message at the end of a request."""
    pattern = provider.quirks.prefill
    return (
        bool(pattern) and isinstance(provider.dialect, ContinuesText) and re.search(pattern, model.lower()) is not None
    )


def check_continuation(provider: Provider, model: str, *, replay: bool, is_structured: bool) -> None:
    """Check that a broken stream can be continued.

    Args:
        provider: The provider's record.
        model: The model.
        replay: Whether the stream can be iterated over again.
        is_structured: Whether the stream yields instances of a response model.

    Raises:
        ValueError: It cannot; the message names the option to change.
    """
    option = '`on_break="continue"` of a retry'
    if is_structured:
        raise ValueError(f'{option} is for text, not for a `response_model`: write `on_break="restart"`')
    if replay:
        raise ValueError(f"{option} excludes `replay` of a stream, which replays one response: remove one of them")
    if not can_prefill(provider, model):
        raise ValueError(
            f"{option} needs a model that continues an assistant message, and {model!r} of {provider.name!r} does "
            'not: write `on_break="restart"` or `on_break="fail"`'
        )
