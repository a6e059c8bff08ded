"""Cohere's v2 chat wire.

https://docs.cohere.com/v2/reference/chat-stream
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, ClassVar

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import (
    Answer,
    Citation,
    Failure,
    Json,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolCalls,
    ToolPlan,
    Usage,
    cut_text,
    with_citations,
)
from ferroscope.testing._wires.wire import Wire, dumps

__all__ = ["Cohere"]

_DONE = b"data: [DONE]\n\n"
_FINISH_REASONS = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "content_filter": "ERROR",
}

Event = dict[str, Any]


class Cohere(Wire):
    """`POST .../v2/chat`, with a stream of server-sent events or one body."""

    mounts: Mapping[str, str] = MappingProxyType({"cohere": "/cohere"})
    garbage: ClassVar[bytes] = b'event: content-delta\ndata: {"type": [{\n\n'

    def accepts(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith("/v2/chat")

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        for event in _events(answer, request):
            yield _framed(event)
        yield _DONE

    def render_body(self, answer: Answer, request: Request) -> dict[str, Any]:
        body = {"id": _id(request), **_finish(answer), "message": _message(answer), **answer.extra}
        body.pop("error", None)  # only a stream can contain it
        return body

    def render_error(self, failure: Failure, request: Request) -> bytes:
        return dumps({"id": _id(request), "message": failure.message, **failure.extra})

    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        delta = {"error": failure.message, "finish_reason": failure.type or "ERROR", **failure.extra}
        return _framed({"type": "message-end", "delta": delta}) + _DONE


def _framed(event: Event) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), dumps(event))


def _id(request: Request) -> str:
    return f"00000000-0000-4000-8000-{request.number:012}"


def _finish(answer: Answer) -> dict[str, Any]:
    """Return the finish reason and the usage."""
    finish: dict[str, Any] = {"finish_reason": _FINISH_REASONS.get(answer.finish, answer.finish)}
    if answer.blocked:
        finish = {"finish_reason": answer.blocked.reason or "ERROR", "error": answer.blocked.message}
    elif answer.finish_message is not None:
        finish["error"] = answer.finish_message
    if answer.usage:
        finish["usage"] = _usage(answer.usage)
    return finish


def _usage(usage: Usage) -> dict[str, Any]:
    billed = {"input_tokens": usage.input, "output_tokens": usage.output}
    tokens = {**billed, "reasoning_tokens": usage.reasoning} if usage.reasoning else billed
    return {"billed_units": billed, "tokens": tokens, "cached_tokens": usage.cached}


def _block(part: Part) -> tuple[str, str] | None:
    """Return the type of a content block, which is also the name of its text, and the text."""
    match part:
        case ToolPlan():
            return None
        case Reasoning(text, _):
            return ("thinking", text)
        case Text() | Json() | Refusal() if part.text:
            return ("text", part.text)
        case _:
            return None


def _message(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    content: list[dict[str, str]] = []
    cited: list[dict[str, Any]] = []
    for part, citations in with_citations(answer.parts):
        block = _block(part)
        if block is not None:
            kind, text = block
            content.append({"type": kind, kind: text})
            cited += (_citation(answer, citation, len(content) - 1) for citation in citations)
    plan = "".join(part.text for part in answer.parts if isinstance(part, ToolPlan))
    if plan:
        message["tool_plan"] = plan
    if answer.tool_calls:
        message["tool_calls"] = [_call(call, call.text or "") for call in answer.tool_calls]
    if content:
        message["content"] = content
    if cited:
        message["citations"] = cited
    return message


def _events(answer: Answer, request: Request) -> Iterator[Event]:
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield {"id": _id(request), "type": "message-start", "delta": {"message": empty}, **answer.extra}
    calls = iter(answer.tool_calls)
    blocks = called = cited = 0
    for part, citations in with_citations(answer.parts):
        match part:
            case ToolPlan(text, chunks):
                for piece in cut_text(text, chunks):
                    yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}}
            case Reasoning() | Text() | Json() | Refusal():
                block = _block(part)
                if block is None:
                    continue
                kind, text = block
                yield _event("content-start", blocks, {"content": {"type": kind, kind: ""}})
                for piece in cut_text(text, part.chunks):
                    yield _event("content-delta", blocks, {"content": {kind: piece}})
                for citation in citations:
                    yield _event("citation-start", cited, {"citations": _citation(answer, citation, blocks)})
                    yield {"type": "citation-end", "index": cited}
                    cited += 1
                yield {"type": "content-end", "index": blocks}
                blocks += 1
            case ToolCall():
                yield from _call_events(called, next(calls))
                called += 1
            case ToolCalls(members, shape):
                streams = [
                    _call_events(0 if shape == "same_index" else called + offset, next(calls), whole=shape == "whole")
                    for offset in range(len(members))
                ]
                called += len(members)
                if shape == "interleaved":
                    for row in zip_longest(*streams):
                        yield from (event for event in row if event is not None)
                else:
                    for stream in streams:
                        yield from stream
    yield {"type": "message-end", "delta": _finish(answer)}


def _event(kind: str, index: int, message: Mapping[str, Any]) -> Event:
    return {"type": kind, "index": index, "delta": {"message": message}}


def _call(call: ToolCall, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _call_events(index: int, call: ToolCall, *, whole: bool = False) -> Iterator[Event]:
    text = call.text or ""
    yield _event("tool-call-start", index, {"tool_calls": _call(call, text if whole else "")})
    for piece in [] if whole else call.fragments:
        yield _event("tool-call-delta", index, {"tool_calls": {"function": {"arguments": piece}}})
    yield {"type": "tool-call-end", "index": index}


def _citation(answer: Answer, citation: Citation, block: int) -> dict[str, Any]:
    start, end = answer.span(citation)
    document = {"id": citation.url, "title": citation.title, "url": citation.url}
    return {
        "start": start,
        "end": end,
        "text": citation.text,
        "sources": [{"type": "document", "id": citation.url, "document": document}],
        "type": "TEXT_CONTENT",
        "content_index": block,
    }
