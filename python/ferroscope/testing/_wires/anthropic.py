"""The Anthropic Messages wire of Anthropic, Vertex AI and Foundry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import (
    Answer,
    Citation,
    EncryptedReasoning,
    Failure,
    Json,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
    cut_text,
    with_citations,
)
from ferroscope.testing._wires.wire import Wire, dumps

__all__ = ["Anthropic", "events_of", "message_of"]

SIGNATURE = "c2lnbmF0dXJl"

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}

_MODEL_IN_PATH = re.compile(r"/models?/([^/]+?)(?::rawPredict|:streamRawPredict|/invoke|/invoke-with-response-stream)$")

Event = dict[str, Any]
Block = dict[str, Any]


class Anthropic(Wire):
    """`POST .../v1/messages`, with a stream of server-sent events or one body."""

    mounts: Mapping[str, str] = MappingProxyType({"anthropic": "/anthropic"})

    def accepts(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith(("/v1/messages", ":rawPredict", ":streamRawPredict"))

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        for event in events_of(answer, request):
            yield b"event: " + event["type"].encode() + b"\ndata: " + dumps(event) + b"\n\n"

    def render_body(self, answer: Answer, request: Request) -> dict[str, Any]:
        content = [block for blocks in _blocks(answer) for block, _ in blocks]
        body = {**message_of(answer, request), "content": content, "stop_reason": _stop_reason(answer)}
        if answer.usage:
            body["usage"] = render_usage(answer.usage)
        return body

    def render_error(self, failure: Failure, request: Request) -> bytes:
        return dumps(_error(failure))

    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        return b"event: error\ndata: " + dumps(_error(failure)) + b"\n\n"


def events_of(answer: Answer, request: Request) -> Iterator[Event]:
    """Yield the events of a streamed answer."""
    message = message_of(answer, request)
    if answer.usage:
        message["usage"] = {**render_usage(answer.usage), "output_tokens": 1}
    yield {"type": "message_start", "message": message}
    index = 0
    for blocks in _blocks(answer):
        parts = [list(_streamed(index + offset, block, pieces)) for offset, (block, pieces) in enumerate(blocks)]
        # Interleaved parallel calls all begin at the same time.
        for row in zip_longest(*parts):
            yield from (event for event in row if event is not None)
        if index == 0:
            yield {"type": "ping"}
        index += len(blocks)
    closing: Event = {
        "type": "message_delta",
        "delta": {"stop_reason": _stop_reason(answer), "stop_sequence": None},
    }
    if answer.usage:
        closing["usage"] = {"output_tokens": answer.usage.output}
    yield closing
    yield {"type": "message_stop"}


def message_of(answer: Answer, request: Request) -> dict[str, Any]:
    """Return the message without its content."""
    return {
        "id": f"msg_{request.number}",
        "type": "message",
        "role": "assistant",
        "model": answer.model or _model_of(request),
        **answer.extra,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _model_of(request: Request) -> str:
    """Return the requested model. For Vertex AI and Bedrock it is in the path."""
    in_path = _MODEL_IN_PATH.search(request.path)
    return unquote(in_path[1]) if in_path else str(request.json.get("model", "model"))


def _stop_reason(answer: Answer) -> str:
    reason = answer.blocked.reason if answer.blocked else None
    return reason or _STOP_REASONS.get(answer.finish, answer.finish)


def render_usage(usage: Usage) -> dict[str, Any]:
    """Return usage in Anthropic's counts: the input tokens exclude those of the cache."""
    return {
        "input_tokens": usage.input - usage.cached - usage.cache_write,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": usage.output,
        "service_tier": "standard",
    }


def _blocks(answer: Answer) -> Iterator[list[tuple[Block, Sequence[str]]]]:
    """Yield the blocks with their chunks. Blocks that are sent at the same time form one list."""
    calls = iter(answer.tool_calls)
    for part, citations in with_citations(answer.parts):
        match part:
            case Text() | Refusal() | Json():
                block: Block = {"type": "text", "text": part.text}
                if citations:
                    block["citations"] = [_citation(citation) for citation in citations]
                yield [(block, cut_text(part.text, part.chunks))]
            case Reasoning(text, chunks, _, signature):
                block = {"type": "thinking", "thinking": text, "signature": signature or SIGNATURE}
                yield [(block, cut_text(text, chunks))]
            case EncryptedReasoning(data):
                yield [({"type": "redacted_thinking", "data": data}, [])]
            case ToolCall():
                yield [_call(next(calls))]
            case ToolCalls(members, "interleaved"):
                yield [_call(next(calls)) for _ in members]
            case ToolCalls(members, _):
                yield from ([_call(next(calls))] for _ in members)


def _call(call: ToolCall) -> tuple[Block, Sequence[str]]:
    block = {"type": "tool_use", "id": call.id, "name": call.name, "input": call.value}
    return block, ["", *call.fragments]


def _citation(citation: Citation) -> Block:
    return {
        "type": "web_search_result_location",
        "cited_text": citation.text,
        "url": citation.url,
        "title": citation.title,
        "encrypted_index": SIGNATURE,
    }


def _streamed(index: int, block: Block, pieces: Sequence[str]) -> Iterator[Event]:
    kind = block["type"]
    if kind == "redacted_thinking":
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "content_block_stop", "index": index}
        return
    name, delta, field = {
        "text": ("text", "text_delta", "text"),
        "thinking": ("thinking", "thinking_delta", "thinking"),
        "tool_use": ("input", "input_json_delta", "partial_json"),
    }[kind]
    empty: Block = {**block, name: {} if kind == "tool_use" else ""}
    if kind == "thinking":
        empty["signature"] = ""
    if "citations" in block:
        empty["citations"] = []
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for piece in pieces:
        yield {"type": "content_block_delta", "index": index, "delta": {"type": delta, field: piece}}
    if kind == "thinking":
        signed = {"type": "signature_delta", "signature": block["signature"]}
        yield {"type": "content_block_delta", "index": index, "delta": signed}
    for citation in block.get("citations", ()):
        cited = {"type": "citations_delta", "citation": citation}
        yield {"type": "content_block_delta", "index": index, "delta": cited}
    yield {"type": "content_block_stop", "index": index}


def _error(failure: Failure) -> dict[str, Any]:
    kind = failure.type or _ERROR_TYPES.get(failure.status, "api_error")
    error = {"type": kind, "message": failure.message, **failure.extra}
    return {"type": "error", "error": error, "request_id": "req_testing"}
