"""The steps of a call, the same for sync and async calls."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..core.base.call_response import AnyCallResponse
from ..prices import record
from .answer import extract
from .caching import Recorded
from .call import Call, now
from .drive import Flow
from .plan import CallPlan
from .retrying import prepared, retried
from .stream import wrap_run
from .stream_retries import start_run
from .structured import start_structured_stream

# Any: what a step returns is whatever the user's function or the SDK returns.


def flow(plan: CallPlan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Flow:
    """Yield the steps of one call, and return its result."""
    call = yield from preparation(plan, args, kwargs)
    _, result = yield from completion(call)
    return result


def preparation(plan: CallPlan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Flow:
    """Yield the steps before the request of a call, and return the prepared call."""
    fn_args = plan.prompt.bind(args, kwargs)
    returned = yield partial(plan.prompt.fn, *args, **kwargs)
    prompt = plan.prompt.resolve(fn_args, returned)
    return (yield from prepared(plan, prompt))


def completion(call: Call) -> Flow:
    """Yield the steps from a prepared call to its end. Return the response (None for a stream) and the result."""
    plan, entry = call.plan, call.cache_entry
    if entry is not None:
        yield from entry.look_up()
    if plan.stream:
        return None, wrap_run(start_run(call), call) if call.extraction is None else start_structured_stream(call)
    if entry is not None and entry.found is not None:
        call.host, time = entry.found.host, now()
        return (yield from restoration(call, entry.found.body, time, time))
    if plan.retry is not None:
        response, result = yield from retried(call, plan.retry, _read)
    else:
        start_time = now()
        raw = yield from call.steps()
        response, result = _read(call, raw, start_time)
    if entry is not None:
        body = call.provider.dialect.dump_event(response.response).encode()
        yield from entry.store(Recorded("response", "", False, call.host, body))
    return (yield from _parsed(call, response, result))


def restoration(
    call: Call, body: bytes, start_time: float, end_time: float, *, batch: bool = False, is_new: bool = False
) -> Flow:
    """Yield the steps of a call whose response body is known, so that no request is sent.

    Return the response and the result.

    Args:
        call: The prepared call.
        body: The response body, as `Dialect.dump_event` dumps it.
        start_time: The time of the request, in milliseconds since the epoch.
        end_time: The time at which the response was complete.
        batch: Whether the response is from a job of the provider's batch API.
        is_new: Whether the meters have to count the call.
    """
    call.host = call.known_host()
    response = call.response(call.provider.dialect.read_response(body), start_time, end_time)
    if batch:
        response._set_batch()
    if is_new and call.meters:
        record(response._total_cost, call.meters)
    result = response if call.extraction is None else extract(call, response)
    return (yield from _parsed(call, response, result))


def _parsed(call: Call, response: AnyCallResponse, result: Any) -> Flow:
    """Yield the step of the output parser, if there is one. Return the response and the result."""
    # The model may have called a tool in place of an answer for the response model.
    if call.plan.output_parser is not None and (call.extraction is None or result is not response):
        result = yield partial(call.plan.output_parser, result)
    return response, result


def _read(call: Call, raw: object, start_time: float) -> tuple[AnyCallResponse, Any]:
    """Return the response for what the SDK returned, and the answer in it as the response model."""
    received: AnyCallResponse | None = None
    try:
        received = response = call.response(raw, start_time, now())
        error = call.reported_error(response)
        # A server may charge for an answer that failed halfway.
        if call.meters and (error is None or response.usage is not None):
            record(response._total_cost, call.meters)
        if error is not None:
            raise error
        result = response if call.extraction is None else extract(call, response)
    except Exception as failure:
        if call.observation is not None:
            call.observation.end(received, failure)
        raise
    if call.observation is not None:
        call.observation.end(response, None)
    return response, result
