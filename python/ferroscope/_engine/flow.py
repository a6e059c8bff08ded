"""The steps of a call, the same for sync and async calls."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..core.base._prompts.plan import ResolvedPrompt
from ..prices import record
from .answer import extract
from .call import Call, now, prepare
from .drive import Flow
from .plan import CallPlan
from .stream import start_stream
from .structured import start_structured_stream

# Any: what a step returns is whatever the user's function or the SDK returns.


def flow(plan: CallPlan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Flow:
    """Yield the steps of one call, and return its result."""
    fn_args = plan.prompt.bind(args, kwargs)
    returned = yield partial(plan.prompt.fn, *args, **kwargs)
    prompt = plan.prompt.resolve(fn_args, returned)
    if plan.prompt.is_async and plan.provider.dialect.needs_fetch(prompt.messages):
        call = yield partial(_in_thread, plan, prompt)
    else:
        call = prepare(plan, prompt)
    if plan.stream:
        return start_stream(call) if call.extraction is None else start_structured_stream(call)
    start_time = now()
    raw = yield call.send
    response = call.response(raw, start_time, now())
    error = call.reported_error(response)
    # A server may charge for an answer that failed halfway.
    if call.meters and (error is None or response.usage is not None):
        record(response.cost_details, call.meters)
    if error is not None:
        raise error
    result: Any = response
    if call.extraction is not None:
        result = extract(call, response)
        if result is response:
            return response
    if plan.output_parser is None:
        return result
    return (yield partial(plan.output_parser, result))


async def _in_thread(plan: CallPlan, prompt: ResolvedPrompt) -> Call:
    """Prepare a call in a thread, because fetching its media would block the event loop."""
    from anyio import to_thread

    return await to_thread.run_sync(prepare, plan, prompt)
