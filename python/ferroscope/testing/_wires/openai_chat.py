"""The OpenAI chat-completions wire, which Azure and many other services speak too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import (
    Answer,
    Blocked,
    Failure,
    Json,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolCalls,
    ToolCallShape,
    Usage,
    cut_text,
)
from ferroscope.testing._wires.wire import Wire, dumps

__all__ = ["OpenAIChat"]

_CREATED = 1_700_000_000
_DONE = b"data: [DONE]\n\n"
_ERROR_TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}

Delta = dict[str, Any]


class OpenAIChat(Wire):
    """`POST .../chat/completions`, streamed as server-sent events or answered whole."""

    mounts: Mapping[str, str] = MappingProxyType({"openai": "/openai/v1"})

    def accepts(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith("/chat/completions")

    def blocked_error(self, blocked: Blocked) -> Failure | None:
        return Failure(blocked.message, 400, "invalid_request_error", blocked.reason or "invalid_prompt")

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        asked = (request.json.get("stream_options") or {}).get("include_usage", False)
        usage = render_usage(answer.usage) if answer.usage else None
        usage_in = answer.usage_in or "own_chunk"
        top = {**_top(answer, request, "chat.completion.chunk"), **answer.extra}
        # Only the delta differs from chunk to chunk: what stands around it is serialised once a stream.
        head = b"data: " + dumps(top)[:-1] + b',"choices":['
        tail = b"]"
        if usage and usage_in == "every_chunk":
            tail += b',"usage":' + dumps(usage)
        elif usage and asked and usage_in == "own_chunk":
            tail += b',"usage":null'
        end = tail + b"}\n\n"
        choices = range(request.json.get("n") or 1)

        def event(index: int, delta: Delta, finish: str | None = None) -> bytes:
            return b'%b{"index":%d,"delta":%b,"logprobs":null,"finish_reason":%b}%b' % (
                head,
                index,
                dumps(delta),
                dumps(finish),
                end,
            )

        silent = not answer.text and (answer.tool_calls or answer.refusal)
        opening: Delta = {"role": "assistant", "content": None if silent else "", "refusal": None}
        for delta in (opening, *_deltas(answer)):
            for index in choices:
                yield event(index, delta)
        if usage and usage_in == "finish_chunk":
            end = b'],"usage":' + dumps(usage) + b"}\n\n"
        for index in choices:
            yield event(index, {}, answer.finish)
        if usage and asked and usage_in == "own_chunk":
            yield head + b'],"usage":' + dumps(usage) + b"}\n\n"
        yield _DONE

    def render_body(self, answer: Answer, request: Request) -> dict[str, Any]:
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text or ""}}
            for call in answer.tool_calls
        ]
        message: dict[str, Any] = {
            "role": "assistant",
            "content": answer.text if answer.text or not (calls or answer.refusal) else None,
            "refusal": answer.refusal or None,
        }
        for part in answer.parts:
            if isinstance(part, Reasoning):
                field = part.field or "reasoning_content"
                message[field] = message.get(field, "") + part.text
        if calls:
            message["tool_calls"] = calls
        body = {
            **_top(answer, request, "chat.completion"),
            **answer.extra,
            "choices": [
                {"index": index, "message": message, "logprobs": None, "finish_reason": answer.finish}
                for index in range(request.json.get("n") or 1)
            ],
        }
        if answer.usage:
            body["usage"] = render_usage(answer.usage)
        return body

    def render_error(self, failure: Failure, request: Request) -> bytes:
        return dumps({"error": _error(failure)})

    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        return b"data: " + dumps({"error": _error(failure)}) + b"\n\n"


def render_usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _top(answer: Answer, request: Request, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request.number}",
        "object": kind,
        "created": _CREATED,
        "model": answer.model or request.json.get("model", "model"),
        "service_tier": "default",
        "system_fingerprint": "fp_testing",
    }


def _deltas(answer: Answer) -> Iterator[Delta]:
    calls = iter(answer.tool_calls)
    index = 0
    for part in answer.parts:
        match part:
            case Text() | Json():
                yield from ({"content": piece} for piece in cut_text(part.text, part.chunks))
            case Reasoning(text, chunks, field):
                yield from ({str(field or "reasoning_content"): piece} for piece in cut_text(text, chunks))
            case Refusal(text, chunks):
                yield from ({"refusal": piece} for piece in cut_text(text, chunks))
            case ToolCall():
                yield from _tool_deltas([(index, next(calls))], "sequential")
                index += 1
            case ToolCalls(members, shape):
                numbered = [(index + offset, next(calls)) for offset in range(len(members))]
                yield from _tool_deltas(numbered, shape)
                index += len(members)


def _tool_deltas(calls: list[tuple[int, ToolCall]], shape: ToolCallShape | None) -> Iterator[Delta]:
    def delta(*items: Delta) -> Delta:
        return {"tool_calls": list(items)}

    match shape:
        case "sequential" | "by_path" | None:
            for index, call in calls:
                yield from map(delta, _fragments(index, call))
        case "same_index":
            for _, call in calls:
                yield from map(delta, _fragments(0, call))
        case "without_index":
            for index, call in calls:
                for item in _fragments(index, call):
                    del item["index"]
                    yield delta(item)
        case "repeated_id":
            for index, call in calls:
                yield from map(delta, _fragments(index, call, repeat=True))
        case "interleaved":
            for row in zip_longest(*(_fragments(index, call) for index, call in calls)):
                yield from (delta(item) for item in row if item is not None)
        case "together":
            yield delta(*(_whole(index, call) for index, call in calls))
        case "whole":
            yield from (delta(_whole(index, call)) for index, call in calls)


def _whole(index: int, call: ToolCall) -> Delta:
    function: Delta = {"name": call.name}
    if call.text is not None:
        function["arguments"] = call.text
    return {"index": index, "id": call.id, "type": "function", "function": function}


def _fragments(index: int, call: ToolCall, *, repeat: bool = False) -> Iterator[Delta]:
    named = {"index": index, "id": call.id, "type": "function"}
    opening: Delta = {"name": call.name}
    if call.text is not None:
        opening["arguments"] = ""
    yield {**named, "function": opening}
    for piece in cut_text(call.text or "", call.chunks):
        if repeat:
            yield {**named, "function": {"name": call.name, "arguments": piece}}
        else:
            yield {"index": index, "function": {"arguments": piece}}


def _error(failure: Failure) -> dict[str, Any]:
    kind, code = _ERROR_TYPES.get(failure.status, ("server_error", None))
    return {
        "message": failure.message,
        "type": failure.type or kind,
        "param": failure.param,
        "code": failure.code or code,
        **failure.extra,
    }
