"""The steps of a request that is sent directly, the same for sync and async calls."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from ..._sdk_internals import http_client, set_request_id
from ...transport import AsyncExchange, BlockingExchange, Head, answering, is_marked, make_direct, received
from ..drive import Flow, Outcome, captured
from .request import DirectRequest, body_of, is_loaded, reason_against
from .rules import DirectRules
from .stream import AsyncDirectStream, DirectStream

if TYPE_CHECKING:
    from ..call import Call

# Any: clients, responses and results of an SDK.

logger = logging.getLogger("ferroscope.transport")
_VARIABLE = "FERROSCOPE_DIRECT"


def is_direct(client: Any, sdk: str, rules: DirectRules) -> bool:
    """Return whether the requests of a client are to be sent directly, if that is possible."""
    wanted = os.environ.get(_VARIABLE)
    if wanted == "0" or not is_loaded(client, sdk, rules):
        return False
    return wanted == "1" or is_marked(http_client(client))


class _NotSent(BaseException):
    """The end of a request that was only built. No code of an SDK handles it."""


def steps(call: Call, client: Any, rules: DirectRules) -> Flow:
    """Yield the steps of a request. Return what the SDK's method would return, or a `DirectStream`."""
    kwargs = rules.arguments(client, call.kwargs)
    arguments = {name: value for name, value in kwargs.items() if name not in rules.content}
    known: DirectRequest | None = call.plan.direct.get(client)
    try:
        body = body_of(kwargs)
    except TypeError as error:
        return (yield from _by_sdk(call, client, f"the body has a value that the SDK writes in its own way: {error}"))
    if known is None or not known.fits(arguments):
        prepared: DirectRequest
        prepared, sent = yield from _prepare(call, client, rules, arguments, body)
        if sent is not None:
            return sent.value
        call.plan.direct[client] = known = prepared
    if (reason := known.reason_now(client)) is not None:
        return (yield from _by_sdk(call, client, reason))
    return (yield from _send(call, client, known, body, rules))


def _by_sdk(call: Call, client: Any, reason: str) -> Flow:
    logger.debug("the SDK sends the request of %s, not the direct way: %s", call.where, reason)
    return (yield partial(call.send_by_sdk, client))


def _prepare(call: Call, client: Any, rules: DirectRules, arguments: dict[str, Any], body: bytes) -> Flow:
    """Let the SDK build a request without sending it.

    Return the prepared request, and the outcome if the SDK sent the request in another way.
    """
    make_direct(http_client(client))
    known = DirectRequest(rules, client, arguments)
    known.reason = reason_against(client, rules) or ""
    if known.reason:
        return known, None
    requests: list[Any] = []

    def keep(request: Any) -> Any:
        requests.append(request)
        raise _NotSent

    def build() -> Any:
        try:
            with answering(known.transport, keep):
                return call.send_by_sdk(client)
        except _NotSent:
            return None

    async def abuild() -> Any:
        try:
            with answering(known.transport, keep):
                return await call.send_by_sdk(client)
        except _NotSent:
            return None

    sent = yield abuild if call.plan.prompt.is_async else build
    if not requests:
        known.reason = "the SDK did not use its transport"
        return known, Outcome(sent)
    known.accept(requests[0], body)
    return known, None


def _send(call: Call, client: Any, known: DirectRequest, body: bytes, rules: DirectRules) -> Flow:
    is_async, is_stream = call.plan.prompt.is_async, call.plan.stream
    assert known.library is not None
    errors = known.library.module.TransportError
    try:
        exchange = known.start(body)
    except OSError as error:  # no trusted certificates
        return (yield from _by_sdk(call, client, str(error)))
    except errors as error:  # no connection of the pool became free in time
        return (yield _continued(call, client, known, Outcome(error=error)))
    headers: dict[bytes, bytes] = {}

    def is_plain(head: Head) -> bool:
        """Return whether a response is a plain success, and note its headers then."""
        headers.update((name.lower(), value) for name, value in head[3])
        if not 200 <= head[0] < 300 or b"content-encoding" in headers:
            return False
        _log(known, head)
        if (wanted := received()) is not None:
            wanted.headers = known.library.module.Headers(head[3])  # type: ignore[union-attr]  # checked above
        if b"set-cookie" in headers:
            _keep_cookies(client, known, head, body)
            call.plan.direct.pop(client, None)
        return True

    step = exchange.head if is_stream else partial(exchange.whole, is_plain)
    opened: Outcome = yield captured(step, is_async=is_async)
    if opened.error is not None:
        if not isinstance(opened.error, errors):
            raise opened.error
        return (yield _continued(call, client, known, opened))
    head: Head
    data: bytes | None
    head, data = (opened.value, None) if is_stream else opened.value
    if data is None and not (is_stream and is_plain(head)):
        return (yield _continued(call, client, known, Outcome(head), exchange))
    content_type = headers.get(b"content-type", b"")
    if data is None:
        kind = AsyncDirectStream if is_async else DirectStream
        return kind(exchange, known, head, body, content_type.decode("latin-1"))
    if content_type.partition(b";")[0].endswith(b"json") and data.lstrip()[:1] == b"{":
        try:
            result = call.provider.dialect.read_response(data)
        except Exception:  # the SDK raises its own exception, with the response
            logger.debug("the SDK reads the body of a response that is not what its models describe")
        else:
            if rules.request_id:
                found = headers.get(rules.request_id.encode())
                set_request_id(result, None if found is None else found.decode("latin-1"))
            call.received = result, data
            return result
    return (yield _continued(call, client, known, Outcome(head), data))


def _continued(
    call: Call,
    client: Any,
    known: DirectRequest,
    outcome: Outcome,
    body: AsyncExchange | BlockingExchange | bytes = b"",
) -> Any:
    """Return the step in which the SDK goes on from the outcome of the first attempt: it retries, raises or reads."""
    library = known.library
    assert library is not None

    def answer(request: Any) -> Any:
        if outcome.error is not None:
            outcome.error.request = request  # type: ignore[attr-defined]  # of the HTTP library
            raise outcome.error
        if isinstance(body, bytes):
            return library.response_of(outcome.value, body)
        kind = library.body if isinstance(body, AsyncExchange) else library.blocking_body
        inner = body.exchange if isinstance(body, AsyncExchange) else body
        return library.response_of(outcome.value, kind(inner, known.transport), body.exchange)

    def send() -> Any:
        with answering(known.transport, answer):
            return call.send_by_sdk(client)

    async def asend() -> Any:
        with answering(known.transport, answer):
            return await call.send_by_sdk(client)

    return asend if call.plan.prompt.is_async else send


def _log(known: DirectRequest, head: Any) -> None:
    """Log the request as the HTTP library does."""
    assert known.library is not None
    log = known.library.logger
    if log.isEnabledFor(logging.INFO):
        status, reason, version, _ = head
        shown = known.request.method, known.request.url, version.decode(), status, reason.decode("latin-1")
        log.info('HTTP Request: %s %s "%s %d %s"', *shown)


def _keep_cookies(client: Any, known: DirectRequest, head: Any, body: bytes) -> None:
    """Give the cookies of a response to the HTTP client. The SDK builds the next request with them."""
    assert known.library is not None
    response = known.library.response_of(head, b"")
    response.request = known.sent(body)
    http_client(client).cookies.extract_cookies(response)
