"""The values of the options `retry=` and `rate_limit=`, and the record of an attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from ...prices import Cost

RetriedFailure: TypeAlias = Literal["status", "connection", "validation"]
"""A kind of failure after which a call is retried."""

OnBreak: TypeAlias = Literal["fail", "restart", "continue"]
"""The action when a stream fails after its first item has been yielded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The value of the option `retry=`: the conditions and the number of retries of a call.

    The SDK's own retries are disabled for such a call, so that each attempt is one request. An exhausted quota is not
    retried, nor is a status that a second request cannot change.

    Args:
        attempts: The maximum number of requests, including the first one.
        on: The failures after which the call is retried. `"status"`: the HTTP status 408, 409, 429 or 500 and above, or
            an error of the provider inside a stream. `"connection"`: the provider was unreachable, or the connection
            broke or timed out. `"validation"`: the response does not match the response model; the next request
            contains the error.
        wait: The delay before the second attempt in seconds. It doubles with each further attempt. Retries after
            `"validation"` have no delay.
        max_wait: The maximum delay in seconds.
        jitter: The maximum random addition to the delay in seconds, so that many calls do not retry at the same time.
        max_retry_after: The maximum delay in seconds that a server may request (`Retry-After`). If it requests a longer
            delay, the error is raised immediately.
        deadline: The timeout of the whole call in seconds, including all attempts and delays. None: no limit.
        on_break: The action when a stream fails after its first item has been yielded. `"fail"`: raise the error.
            `"restart"`: send the request again and start the stream from the beginning; `stream.attempts` grows, and
            `stream.content` contains only the new response. `"continue"`: send the received text as the beginning of
            the answer, and continue the stream after it; only for text, and for models that continue an assistant
            message (Anthropic's up to Claude 4.5).
        hedge_after: The time in seconds after which the request is sent a second time, if it has not been answered: if
            no data of a stream, or no other response, has arrived. The first answer is used, and the other request is
            closed. It counts as an attempt. None: no second request.

    Raises:
        ValueError: A number is out of range, or a name is unknown.

    Example:
        ```python
        from ferroscope import llm
        from ferroscope.retries import Retry


        @llm.call("openai", "gpt-4o-mini", retry=Retry(attempts=5, deadline=60))
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """

    attempts: int = 3
    on: tuple[RetriedFailure, ...] = get_args(RetriedFailure)
    wait: float = 0.5
    max_wait: float = 8.0
    jitter: float = 0.5
    max_retry_after: float = 120.0
    deadline: float | None = None
    on_break: OnBreak = "fail"
    hedge_after: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", (self.on,) if isinstance(self.on, str) else tuple(self.on))
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int) or self.attempts < 1:
            raise ValueError(f"`attempts` of a retry must be a whole number of at least 1, not {self.attempts!r}")
        for name in ("wait", "max_wait", "jitter", "max_retry_after"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"`{name}` of a retry must be at least 0 seconds, not {getattr(self, name)!r}")
        for name in ("deadline", "hedge_after"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"`{name}` of a retry must be more than 0 seconds, not {value!r}")
        if self.hedge_after is not None and self.attempts < 2:
            raise ValueError("`hedge_after` of a retry sends a second request, so `attempts` must be at least 2")
        for name, value, known in (
            *(("on", one, get_args(RetriedFailure)) for one in self.on),
            ("on_break", self.on_break, get_args(OnBreak)),
        ):
            if value not in known:
                raise ValueError(f"`{name}` of a retry must be one of {', '.join(map(repr, known))}, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """The value of the option `rate_limit=`: the maximum number of requests and tokens in a period.

    All calls of the process with the same limit, provider, model and API key share it, across threads and tasks. A call
    waits until the limit allows it. The tokens of a call are estimated from the length of the prompt and `max_tokens`,
    and corrected when the response reports its usage.

    Args:
        requests_per_minute: The maximum number of requests per period. None: no limit.
        tokens_per_minute: The maximum number of tokens per period, in prompts and responses. None: no limit.
        period: The length of a period in seconds, for limits that are not per minute.

    Raises:
        ValueError: A number is not greater than 0.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    period: float = 60.0

    def __post_init__(self) -> None:
        for name in ("requests_per_minute", "tokens_per_minute", "period"):
            value = getattr(self, name)
            if (value is None and name == "period") or (value is not None and not value > 0):
                raise ValueError(f"`{name}` of a rate limit must be greater than 0, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request of a call with the option `retry=`.

    Attributes:
        provider: The name of the provider.
        model: The name of the model.
        start_time: The time at which the request was sent, in milliseconds since the epoch.
        end_time: The time at which the response ended or failed, in milliseconds since the epoch.
        waited: The delay before the request in seconds, because of a retry, a cool-down or a rate limit.
        error: The failure; None if the program received the response. A `ferroscope.errors.HedgeLostError` if another
            request was answered first.
        cost: The cost of the request; None if no response with a cost was received.
        is_hedge: Whether the request was sent because the one before had not been answered in time.
    """

    provider: str
    model: str
    start_time: float
    end_time: float
    waited: float
    error: Exception | None
    cost: Cost | None
    is_hedge: bool = False
