"""Streams of calls with the option `retry=`."""

from __future__ import annotations

from dataclasses import replace

from ..core.base.retry import Attempt, Retry
from .call import Call
from .deadlines import Deadlines
from .dialect import ContinuesText
from .drive import Flow
from .hedging import StreamRequest
from .retry_options import can_prefill
from .retrying import Retries
from .send_errors import add_note
from .stream import StreamRun
from .succession import SuccessiveRun


def start_run(call: Call) -> StreamRun | SuccessiveRun:
    """Return the run of a stream. The request is sent when the iteration begins."""
    if call.cached is not None:
        return StreamRun.of_recorded(call, call.cached)
    policy = call.plan.retry
    return StreamRun(call) if policy is None else SuccessiveRun(RetriedRuns(call, policy))


class RetriedRuns:
    """The requests of one stream.

    Attributes:
        run: The run of the last request.
    """

    def __init__(self, call: Call, policy: Retry) -> None:
        self.run = StreamRun(call)
        self._call = call
        self._policy = policy
        self._retries: Retries | None = None
        self._failed: StreamRun | None = None
        self._last: Attempt | None = None
        self._text = ""  # of the earlier runs, which the next one continues

    def admission(self) -> Flow:
        self._retries = Retries(self._call, self._policy)
        yield from self._retries.admission()
        yield from self._begin(self._retries)

    def _begin(self, retries: Retries) -> Flow:
        """Yield the steps to the next run, whose request the iteration sends unless there may be two."""
        self.run = self._new_run()
        if retries.hedges:
            racer = yield from retries.race(lambda call: StreamRequest(self._new_run(), call))
            self.run = racer.request.run

    def following(self, error: Exception, handed_out: bool) -> Flow:
        run, retries = self.run, self._retries
        assert retries is not None
        self._failed = run
        retries.settle(run.response() if run.was_opened else None)
        cost = run.cost_details() if run.was_opened else None
        if handed_out:
            action = self._policy.on_break
            refusal = self._refusal(run) if action == "continue" else None
            if refusal is not None:
                add_note(error, f'the stream cannot continue after the break (`on_break="continue"`): {refusal}')
            if refusal is not None or action == "fail":
                raise retries.final(error, run.start_time, cost)
            self._text = run.content if action == "continue" else ""
        yield from retries.after(error, run.start_time, cost, may_reask=False)
        yield from retries.admission()
        yield from self._begin(retries)

    def finish(self) -> None:
        run, retries = self.run, self._retries
        if retries is None or self._last is not None or run is self._failed or not run.ended:
            return
        retries.settle(run.response())
        retries.observe_limits(run.headers())
        self._last = retries.attempt(run.start_time, None, run.cost_details())

    def attempts(self) -> tuple[Attempt, ...]:
        self.finish()  # after a loop was left early, its iterator may be garbage-collected only later
        failed = () if self._retries is None else tuple(self._retries.failed)
        return failed if self._last is None else (*failed, self._last)

    def _refusal(self, run: StreamRun) -> str | None:
        """Return the reason why no other run can continue a run; None if one can."""
        if run.has_calls:
            return "a tool call had begun, and its arguments cannot be continued"
        if run.reasoning:
            return "the model had sent reasoning, which cannot be continued"
        if self._continuing(run.content) is None:
            return "the API does not accept the beginning of an answer together with the other parameters"
        return None

    def _continuing(self, text: str) -> Call | None:
        """Return the call that continues a text; None if the API does not accept one."""
        call = self._call
        dialect = call.provider.dialect
        if not isinstance(dialect, ContinuesText) or not can_prefill(call.provider, call.plan.model):
            return None
        kwargs = dialect.continuation(call.kwargs, text)
        return None if kwargs is None else replace(call, kwargs=kwargs)

    def _new_run(self) -> StreamRun:
        """Return a run with the deadline of the call, which continues the text of the earlier runs."""
        call = self._call if not self._text else self._continuing(self._text)
        assert call is not None
        left = None if self._retries is None else self._retries.seconds_left()
        if left is not None:
            own = call.plan.deadlines or Deadlines(None, None, None)
            total = left if own.total is None else min(left, own.total)
            call = replace(call, plan=replace(call.plan, deadlines=replace(own, total=total)))
        return StreamRun(call, self._text)
