"""The options `retry=` and `rate_limit=`, read at decoration."""

from __future__ import annotations

from ..core.base.retry import RateLimit, Retry
from ..errors import MissingExtraError


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
