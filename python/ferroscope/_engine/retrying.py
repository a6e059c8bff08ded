"""The option `retry=`: the requests of one call, and the waits between them.

tenacity decides whether there is another attempt, and when. It neither runs code nor sleeps here. Waits are steps that
the drivers run, so that sync and async calls share the code.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..core.base._prompts.plan import ResolvedPrompt
from ..core.base.call_response import AnyCallResponse
from ..core.base.retry import Attempt, RetriedFailure, Retry
from ..errors import APITimeoutError, HedgeLostError
from ..prices import CHARACTERS_PER_TOKEN, record
from ..transport import ReceivedHeaders
from .call import Call, now, prepare
from .deadlines import DeadlinePassed, Limit, run_within
from .drive import Flow, Step, captured
from .error_facts import exhausted, failure_of, is_rate_limit, plain_headers, retry_after
from .hedging import CallRequest, Race, Racer, Request, arace, race
from .pacing import cool_down, limiter
from .plan import CallPlan
from .reasking import correction, invalid_answer

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from ..prices import Cost

# Any: what a step returns.
_MAX_TOKENS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens")


class Retries:
    """The attempts of one call.

    Attributes:
        call: The call, as the next attempt sends it.
        policy: The option.
        failed: The failed attempts.
        received: The headers of the last response that is not streamed, where they are known.
    """

    __slots__ = (
        "_entry",
        "_failure",
        "_is_hedge",
        "_limiter",
        "_started",
        "_state",
        "_tokens",
        "_waited",
        "call",
        "failed",
        "policy",
        "received",
    )

    def __init__(self, call: Call, policy: Retry) -> None:
        self.call = call
        self.policy = policy
        self.failed: list[Attempt] = []
        self._started = time.monotonic()
        self._state: RetryCallState | None = None  # of tenacity, after the first failure
        self._failure: RetriedFailure | None = None
        self._waited = 0.0
        self._entry: Any = None
        self._tokens = 0.0
        self._is_hedge = False
        self.received = ReceivedHeaders()
        limit = call.plan.rate_limit
        self._limiter = None if limit is None else limiter(call.account(), call.plan.model, limit)

    # ---- before a request

    def admission(self) -> Flow:
        """Yield the steps before a request: the waits for a cool-down and for a rate limit.

        Raises:
            ferroscope.errors.APITimeoutError: The waits would exceed the deadline.
        """
        resting = cool_down(self.call.account())
        while (left := resting.left()) > 0:
            yield self._sleep(left)
        if self._limiter is not None:
            self._tokens = self._estimated_tokens()
            left, self._entry = self._limiter.reserve(self._tokens)
            if left > 0:
                yield self._sleep(left)

    def seconds_left(self) -> float | None:
        """Return the seconds until the deadline; None without one."""
        deadline = self.policy.deadline
        return None if deadline is None else self._started + deadline - time.monotonic()

    def send(self, call: Call) -> Any:
        """Send the request of a call within the deadline. Return an awaitable if the call is async."""
        self.received = received = ReceivedHeaders()
        if call.plan.prompt.is_async:
            return received.arun(partial(self._send, call))
        return received.run(partial(self._send, call))

    def _send(self, call: Call) -> Any:
        left = self.seconds_left()
        if left is None:
            return call.send()
        limit = Limit(left, f"the call did not end within {self.policy.deadline:g} s")
        if call.plan.prompt.is_async:
            return self._asend(call, limit)
        try:
            return run_within(limit, call.send, _close)
        except DeadlinePassed as error:
            raise self._passed(str(error)) from None

    async def _asend(self, call: Call, limit: Limit) -> Any:
        import anyio

        if limit.seconds > 0:
            with anyio.move_on_after(limit.seconds):
                return await call.send()
        raise self._passed(limit.message)

    def _passed(self, message: str) -> APITimeoutError:
        return APITimeoutError(self.call.place(message))

    def _sleep(self, seconds: float) -> Step:
        left = self.seconds_left()
        if left is not None and seconds >= left:
            message = f"the call cannot end within {self.policy.deadline:g} s: it has to wait for {seconds:.3g} s"
            error = self._passed(message)
            raise self._attempted(error) from (self.failed[-1].error if self.failed else None)
        self._waited += seconds
        if self.call.plan.prompt.is_async:
            return partial(_async_sleep, seconds)
        return partial(time.sleep, seconds)

    def _estimated_tokens(self) -> float:
        call = self.call
        characters = sum(len(str(message)) for message in call.messages)
        return characters / CHARACTERS_PER_TOKEN + max_tokens(call.plan.call_params)

    # ---- two requests at the same time

    @property
    def hedges(self) -> bool:
        """Whether a second request is sent if the next one is not answered in time."""
        return self.policy.hedge_after is not None and len(self.failed) + 1 < self.policy.attempts

    def race(self, request: Callable[[Call], Request]) -> Flow:
        """Yield the step that sends a request, and perhaps a second one. Record all requests but the decisive one.

        Args:
            request: Returns the request of a call.

        Returns:
            The decisive request.
        """
        assert self.policy.hedge_after is not None
        call = self.call

        def another() -> Racer | None:
            if cool_down(call.account()).left() > 0:
                return None
            is_free, entry = (True, None) if self._limiter is None else self._limiter.reserve_now(self._tokens)
            if not is_free:
                return None
            second = call if call.observation is None else replace(call, observation=call.observation.fork())
            return Racer(second, request(second), now(), entry, is_hedge=True)

        first = Racer(call, request(call), now(), self._entry)
        run = arace if call.plan.prompt.is_async else race
        found: Race = yield partial(run, first, another, self.policy.hedge_after)
        decisive = found.decisive
        for racer in found.racers:
            if racer is not decisive:
                self._record_loser(racer)
        self._entry, self._is_hedge = decisive.entry, decisive.is_hedge
        return decisive

    def _record_loser(self, racer: Racer) -> None:
        outcome, self._is_hedge = racer.outcome, racer.is_hedge
        error = None if outcome is None else outcome.error
        if error is None:
            error = HedgeLostError(self.call.place("another request of the call was answered first"))
            # The provider may bill what nobody read.
            if self.call.meters:
                record(self.call.unknown_cost(), self.call.meters)
        elif is_rate_limit(error):
            asked = retry_after(error)
            cool_down(self.call.account()).begin(self.policy.wait if asked is None else asked)
        self.failed.append(self.attempt(racer.start_time, error, None))

    # ---- after it

    def settle(self, response: AnyCallResponse | None) -> None:
        """Correct the tokens that were reserved for a request by the usage of its response."""
        entry, self._entry = self._entry, None
        if self._limiter is None or entry is None:
            return
        counts = (None, None) if response is None else (response.input_tokens, response.output_tokens)
        if response is None or any(isinstance(count, int | float) for count in counts):
            self._limiter.settle(entry, sum(count or 0 for count in counts))

    def observe_limits(self, headers: Mapping[str, str]) -> None:
        """Begin a cool-down of the account if the headers of a response report an exhausted limit."""
        seconds = exhausted(headers, self.call.provider.retry_rules)
        if seconds is not None:
            cool_down(self.call.account()).begin(min(seconds, self.policy.max_retry_after))

    def final(self, error: Exception, start_time: float, cost: Cost | None) -> Exception:
        """Return a final failure, with the attempts so far."""
        self.failed.append(self.attempt(start_time, error, cost))
        return self._attempted(error)

    def attempt(self, start_time: float, error: Exception | None, cost: Cost | None) -> Attempt:
        """Return the record of the request that has ended."""
        waited, self._waited = self._waited, 0.0
        is_hedge, self._is_hedge = self._is_hedge, False
        return Attempt(
            provider=self.call.provider.name,
            model=self.call.plan.model,
            start_time=start_time,
            end_time=now(),
            waited=waited,
            error=error,
            cost=cost,
            is_hedge=is_hedge,
        )

    def after(self, error: Exception, start_time: float, cost: Cost | None, *, may_reask: bool = True) -> Flow:
        """Yield the steps from a failure to the next attempt.

        Args:
            error: The failure. The steps raise it if it is final.
            start_time: The time of the request, in milliseconds since the epoch.
            cost: The cost of the request, if it is known.
            may_reask: Whether the model may be asked for another answer.
        """
        self.failed.append(self.attempt(start_time, error, cost))
        response = invalid_answer(error) if may_reask else None
        self._failure = failure_of(error, self.call.provider.retry_rules) if response is None else "validation"
        asked = retry_after(error)
        limit = self.policy.max_retry_after
        if asked is not None and asked > limit and self._failure is not None:
            error.add_note(f"the server asks to wait for {asked:g} s; `max_retry_after` is {limit:g} s")
            raise self._attempted(error)
        if is_rate_limit(error) and self._failure == "status":
            cool_down(self.call.account()).begin(self.policy.wait if asked is None else asked)
        self._attempted(error)
        state = self._state or self._new_state()
        state.set_exception((type(error), error, error.__traceback__))
        seconds: Any = state.retry_object.iter(state)  # raises the error if there is no further attempt
        state.prepare_for_next_attempt()
        if seconds > 0:
            yield self._sleep(seconds)
        if response is not None:
            self.call = yield from prepared(self.call.plan, correction(self.call, error, response))

    def _new_state(self) -> RetryCallState:
        from tenacity import RetryCallState, Retrying, stop_before_delay, stop_never

        deadline = self.policy.deadline
        stop_in_time = stop_never if deadline is None else stop_before_delay(deadline)

        def stop(state: RetryCallState) -> bool:
            # Two requests at the same time are two attempts.
            return len(self.failed) >= self.policy.attempts or stop_in_time(state)

        controller = Retrying(stop=stop, wait=self._wait, retry=self._is_retried, reraise=True)
        controller.begin()
        self._state = state = RetryCallState(controller, None, (), {})
        state.start_time = self._started
        return state

    def _is_retried(self, state: RetryCallState) -> bool:
        return self._failure in self.policy.on

    def _wait(self, state: RetryCallState) -> float:
        if self._failure == "validation":
            return 0.0
        policy, by_chance = self.policy, random.uniform(0, self.policy.jitter)
        asked = None if state.outcome is None else retry_after(state.outcome.exception())  # type: ignore[arg-type]
        if asked is not None:
            return asked + by_chance
        return float(min(policy.wait * 2 ** (state.attempt_number - 1), policy.max_wait) + by_chance)

    def _attempted(self, error: Exception) -> Exception:
        with suppress(AttributeError):  # an exception of the program with slots alone
            error.attempts = tuple(self.failed)  # type: ignore[attr-defined]  # of an SDK's exception, too
        return error


def retried(call: Call, policy: Retry, read: Callable[[Call, Any, float], tuple[AnyCallResponse, Any]]) -> Flow:
    """Yield the steps of a call that is repeated after failures. They end with its response and result.

    Args:
        call: The call.
        policy: The option.
        read: Returns the response and the result for the SDK's return value and the time of the request.
    """
    retries = Retries(call, policy)
    while True:
        yield from retries.admission()
        sent, start_time = retries.call, now()
        if retries.hedges:
            racer = yield from retries.race(lambda call: CallRequest(partial(retries.send, call), call))
            sent, start_time, outcome = racer.call, racer.start_time, racer.outcome
        else:
            outcome = yield captured(partial(retries.send, sent), is_async=call.plan.prompt.is_async)
        error = outcome.error
        if error is None:
            try:
                response, result = read(sent, outcome.value, start_time)
            except Exception as failure:
                error = failure
            else:
                retries.settle(response)
                retries.observe_limits(plain_headers(retries.received.headers))
                last = retries.attempt(start_time, None, response.cost_details)
                response._set_attempts((*retries.failed, last))
                return response, result
        answer = getattr(error, "_response", None) or getattr(error, "partial", None)
        retries.settle(answer)
        yield from retries.after(error, start_time, None if answer is None else answer.cost_details)


def prepared(plan: CallPlan, prompt: ResolvedPrompt) -> Flow:
    """Yield the steps that prepare the call of a prompt."""
    # Fetching media must not block the event loop.
    if plan.prompt.is_async and plan.provider.dialect.needs_fetch(prompt.messages):
        return (yield partial(_in_thread, plan, prompt))
    return prepare(plan, prompt)


async def _in_thread(plan: CallPlan, prompt: ResolvedPrompt) -> Call:
    from anyio import to_thread

    return await to_thread.run_sync(prepare, plan, prompt)


def max_tokens(params: Mapping[str, Any]) -> float:
    """Return the limit for the tokens of a response in call parameters, under any provider's name; 0 without one."""
    for name in _MAX_TOKENS:
        if isinstance(found := params.get(name), int):
            return found
    return 0


def _close(sdk_stream: Any) -> None:
    if callable(close := getattr(sdk_stream, "close", None)):
        close()


async def _async_sleep(seconds: float) -> None:
    import anyio

    await anyio.sleep(seconds)
