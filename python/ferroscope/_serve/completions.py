"""The endpoint `/v1/chat/completions`: streamed and whole, whatever provider is behind."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from .._engine.web_answer import logger, openai_counts, public_error
from ..core.base._responses.secrets import redact_text
from ..core.base.stream import BaseStream
from ..core.base.types import Usage
from ..errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    MissingApiKeyError,
    PermissionDeniedError,
    RateLimitError,
)
from ..web import Step
from ..web.starlette import EventResponse
from .metrics import Metrics
from .requests import ChatRequest, RequestError, read_body, read_request
from .target import Target

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

# Errors that the client's request caused keep their status. A wrong key of the service is an error of the service.
_STATUSES = (
    (BadRequestError, 400),
    (RateLimitError, 429),
    (AuthenticationError, 500),
    (PermissionDeniedError, 500),
    (MissingApiKeyError, 500),
    (APITimeoutError, 504),
    (APIConnectionError, 502),
)


class Completions:
    """The ASGI application that answers requests of OpenAI clients with a target."""

    def __init__(self, target: Target, metrics: Metrics) -> None:
        self._target = target
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        response = await self._respond(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            asked = read_request(await read_body(request), takes_parameters=self._target.takes_parameters)
        except RequestError as error:
            self._metrics.count("completions", error.status)
            return error_response(error.status, str(error), "invalid_request", error.param)
        except ClientDisconnect:
            return Response(status_code=499)
        if asked.is_streamed:
            self._metrics.count("completions", 200)
            return self._streamed(asked)
        response = await self._whole(asked, request)
        self._metrics.count("completions", response.status_code)
        return response

    def _streamed(self, asked: ChatRequest) -> Response:
        steps = counted(self._target.steps(asked.messages, asked.parameters), self._metrics)
        return EventResponse(steps, "openai", model=asked.model, include_usage=asked.include_usage)

    async def _whole(self, asked: ChatRequest, request: Request) -> Response:
        self._metrics.running += 1
        task = asyncio.current_task()
        assert task is not None
        departure = asyncio.get_running_loop().create_task(_cancel_on_leave(request, task))
        try:
            return completion(asked.model, await self._answers(asked), self._metrics)
        except asyncio.CancelledError:
            self._metrics.end_answer("incomplete", 0, 0, None)
            # The server may cancel the task, too.
            if not departure.done() or task.uncancel():
                raise
            return Response(status_code=499)
        except Exception as error:
            logger.warning("an answer failed: %s", redact_text(str(error)))
            self._metrics.end_answer("incomplete", 0, 0, None)
            text, code = public_error(error)
            status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 502)
            return error_response(status, text, code)
        finally:
            self._metrics.running -= 1
            departure.cancel()

    async def _answers(self, asked: ChatRequest) -> list[Any]:
        """Return the responses of all turns."""
        if self._target.has_whole_calls:
            return await self._target.responses(asked.messages, asked.parameters)
        steps: Any = self._target.steps(asked.messages, asked.parameters)
        if self._target.is_async:
            return [await step.acollect() async for step in steps if isinstance(step, BaseStream)]
        reading = _SyncAnswers(steps)
        try:
            return await asyncio.get_running_loop().run_in_executor(None, reading.run)
        finally:
            reading.stop()


class _SyncAnswers:
    """Reads the streams of a sync answer in a thread, until it is stopped."""

    def __init__(self, steps: Iterator[Step]) -> None:
        self._steps = steps
        self._stream: Any = None
        self._is_stopped = False

    def run(self) -> list[Any]:
        responses = []
        for step in self._steps:
            if self._is_stopped:
                break
            if isinstance(step, BaseStream):
                self._stream = step
                responses.append(step.collect())
        return responses

    def stop(self) -> None:
        self._is_stopped = True
        if self._stream is not None:
            self._stream.close()


def completion(model: str, responses: list[Any], metrics: Metrics) -> Response:
    """Return the chat completion of an answer."""
    last = responses[-1]
    usages = [response.common_usage for response in responses]
    costs = [response.cost for response in responses]
    cost = None if None in costs else sum(costs)
    reasons = last.common_finish_reasons
    body: dict[str, Any] = {
        "id": "chatcmpl-" + secrets.token_urlsafe(18),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "".join(response.content for response in responses),
                    "refusal": None,
                },
                "logprobs": None,
                "finish_reason": reasons[0] if reasons else "stop",
            }
        ],
    }
    sent = received = 0
    if None not in usages:
        sent, received = sum(usage.input_tokens for usage in usages), sum(usage.output_tokens for usage in usages)
        cached = sum(usage.cached_tokens for usage in usages)
        total = Usage(input_tokens=sent, cached_tokens=cached, output_tokens=received, total_tokens=sent + received)
        body["usage"] = {**openai_counts(total), "cost": cost}
    metrics.end_answer("complete", sent, received, cost)
    return Response(orjson.dumps(body), media_type="application/json")


def counted(steps: Iterator[Step] | AsyncIterator[Step], metrics: Metrics) -> Iterator[Step] | AsyncIterator[Step]:
    """Return the steps of an answer, whose tokens and cost are counted at its end."""
    return _acounted(steps, metrics) if isinstance(steps, AsyncIterator) else _counted(steps, metrics)


def _counted(steps: Iterator[Step], metrics: Metrics) -> Iterator[Step]:
    account = _Account(metrics)
    try:
        for step in steps:
            yield account.add(step)
        account.is_complete = True
    finally:
        account.close()
        close = getattr(steps, "close", None)
        if close is not None:
            close()


async def _acounted(steps: AsyncIterator[Step], metrics: Metrics) -> AsyncIterator[Step]:
    account = _Account(metrics)
    try:
        async for step in steps:
            yield account.add(step)
        account.is_complete = True
    finally:
        account.close()
        aclose = getattr(steps, "aclose", None)
        if aclose is not None:
            await aclose()


class _Account:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._streams: list[Any] = []
        self.is_complete = False
        metrics.running += 1

    def add(self, step: Step) -> Step:
        if isinstance(step, BaseStream):
            self._streams.append(step)
        return step

    def close(self) -> None:
        metrics, streams = self._metrics, self._streams
        metrics.running -= 1
        costs = [stream.cost for stream in streams]
        metrics.end_answer(
            "complete" if self.is_complete else "incomplete",
            sum(int(stream.input_tokens or 0) for stream in streams),
            sum(int(stream.output_tokens or 0) for stream in streams),
            None if None in costs else sum(costs),
        )


async def _cancel_on_leave(request: Request, task: asyncio.Task[Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    task.cancel()


def error_response(status: int, message: str, code: str, param: str | None = None) -> Response:
    """Return an error in OpenAI's form."""
    kind = "invalid_request_error" if status < 500 and status != 429 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)
