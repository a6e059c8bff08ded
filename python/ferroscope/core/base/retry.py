"""The records of the options `retry=` and `rate_limit=`, and of what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from ...prices import Cost

RetriedFailure: TypeAlias = Literal["status", "connection", "validation"]
"""A kind of failure after which a call is made again."""

OnBreak: TypeAlias = Literal["fail", "restart"]
"""What happens when a stream breaks after some of it was handed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The value of the option `retry=`: when a call is made again, and how often.

    The SDK's own retries are off for such a call, so that the attempts are the requests. Spent quotas are final, and
    so is every status that a second request cannot change.

    Args:
        attempts: The number of requests at most, the first one included.
        on: The failures after which the call is made again. `"status"`: 408, 409, 429, 500 and above, and errors of
            the provider inside a stream. `"connection"`: the provider was not reached, or the connection broke or
            timed out. `"validation"`: the answer does not fit the response model; the model is asked again and told
            what is wrong.
        wait: Seconds before the second attempt. The time doubles with every further one. There is no wait before the
            model is asked again for a valid answer.
        max_wait: The limit for that time, in seconds.
        jitter: Up to so many seconds are added by chance, so that many calls do not come back at once.
        max_retry_after: The longest wait in seconds that a server may ask for (`Retry-After`). If it asks for more,
            the error is raised at once.
        deadline: Seconds for the whole call: all attempts and the waits between them. None: without a limit.
        on_break: What happens when a stream breaks after some of its answer was handed out. `"fail"`: the error is
            raised. `"restart"`: the request is sent again and the stream begins from the start; `stream.attempts`
            grows, and `stream.content` is the new answer only.

    Raises:
        ValueError: A number is out of its range, or a name unknown.

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", (self.on,) if isinstance(self.on, str) else tuple(self.on))
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int) or self.attempts < 1:
            raise ValueError(f"the attempts of a retry are a number of requests from 1, not {self.attempts!r}")
        for name in ("wait", "max_wait", "jitter", "max_retry_after"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"`{name}` of a retry is a number of seconds from 0, not {getattr(self, name)!r}")
        if self.deadline is not None and not self.deadline > 0:
            raise ValueError(f"`deadline` of a retry is a number of seconds above 0, not {self.deadline!r}")
        for name, value, known in (
            *(("on", one, get_args(RetriedFailure)) for one in self.on),
            ("on_break", self.on_break, get_args(OnBreak)),
        ):
            if value not in known:
                raise ValueError(f"`{name}` of a retry is one of {', '.join(map(repr, known))}, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """The value of the option `rate_limit=`: how much may be sent in a period.

    All calls of this process with the same limit, provider, model and API key share it, in all threads and tasks. A
    call waits until it fits. Its tokens are estimated before (from the length of the prompt and `max_tokens`), and
    corrected by the usage of the response.

    Args:
        requests_per_minute: The number of requests. None: without a limit.
        tokens_per_minute: The number of tokens, of prompts and responses. None: without a limit.
        period: The length of a period in seconds, for limits that are not per minute.

    Raises:
        ValueError: A number is not above 0.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    period: float = 60.0

    def __post_init__(self) -> None:
        for name in ("requests_per_minute", "tokens_per_minute", "period"):
            value = getattr(self, name)
            if (value is None and name == "period") or (value is not None and not value > 0):
                raise ValueError(f"`{name}` of a rate limit is a number above 0, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request of a call with the option `retry=`.

    Attributes:
        provider: The name of the provider.
        model: The model.
        start_time: The time of the request, in milliseconds since the epoch.
        end_time: The time of the end of the response, or of the failure, in milliseconds since the epoch.
        waited: Seconds of waiting before the request: for the retry, a cool-down or a rate limit.
        error: The failure; None for the response that the program received.
        cost: The cost of the request; None if nothing came that could have a cost.
    """

    provider: str
    model: str
    start_time: float
    end_time: float
    waited: float
    error: Exception | None
    cost: Cost | None
