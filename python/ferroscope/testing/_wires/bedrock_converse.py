"""The Converse wire of Amazon Bedrock: JSON, or frames of AWS's binary event stream.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, ClassVar

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import (
    Answer,
    Blocked,
    Citation,
    EncryptedReasoning,
    Failure,
    Json,
    Media,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
    cut_text,
    with_citations,
)
from ferroscope.testing._wires.aws_event_stream import CONTENT_TYPE, error_frame, frame, raw_frame, split_frames
from ferroscope.testing._wires.wire import HeaderPairs, Wire, dumps

__all__ = ["BedrockConverse"]

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}
_ERROR_TYPES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}
_METRICS = {"latencyMs": 604}
_PADDING = "abcdefghijklmnopqrstuvwxyz"

Value = dict[str, Any]


class BedrockConverse(Wire):
    """`POST .../model/{model}/converse` and `.../converse-stream`."""

    mounts: Mapping[str, str] = MappingProxyType({"bedrock": "/bedrock"})
    garbage: ClassVar[bytes] = raw_frame({":message-type": "event", ":event-type": "contentBlockDelta"}, b'{"delta": ')

    def accepts(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith(("/converse", "/converse-stream"))

    def wants_stream(self, request: Request) -> bool:
        return request.path.endswith("/converse-stream")

    def stream_content_type(self, request: Request) -> str:
        return CONTENT_TYPE

    def headers(self, request: Request) -> HeaderPairs:
        return (("x-amzn-requestid", f"req_{request.number}"),)

    def error_headers(self, failure: Failure) -> HeaderPairs:
        return (("x-amzn-errortype", failure.type or _ERROR_TYPES.get(failure.status, "InternalServerException")),)

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        for number, (name, payload) in enumerate(_events(answer)):
            # The service pads its events to hide their sizes.
            yield frame("event", name, {**payload, "p": _PADDING[: 1 + number % len(_PADDING)]})

    def render_body(self, answer: Answer, request: Request) -> Value:
        content = [block.whole for blocks in _blocks(answer) for block in blocks]
        body: Value = {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _stop_reason(answer),
            "metrics": _METRICS,
            **answer.extra,
        }
        if answer.usage:
            body["usage"] = _usage(answer.usage)
        return body

    def render_error(self, failure: Failure, request: Request) -> bytes:
        return dumps({"message": failure.message, **failure.extra})

    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        return error_frame(failure)

    def split(self, recording: bytes) -> Iterable[bytes]:
        return split_frames(recording)


@dataclass(frozen=True, slots=True)
class _Block:
    """One content block: complete, and as the start (if any) and the deltas of a stream."""

    whole: Value
    deltas: Sequence[Value]
    start: Value | None = None

    def events(self, index: int) -> Iterator[tuple[str, Value]]:
        if self.start is not None:
            yield "contentBlockStart", {"contentBlockIndex": index, "start": self.start}
        for delta in self.deltas:
            yield "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}
        yield "contentBlockStop", {"contentBlockIndex": index}


def _events(answer: Answer) -> Iterator[tuple[str, Value]]:
    yield "messageStart", {"role": "assistant"}
    index = 0
    for blocks in _blocks(answer):
        streams = [block.events(index + offset) for offset, block in enumerate(blocks)]
        for row in zip_longest(*streams):
            yield from (event for event in row if event is not None)
        index += len(blocks)
    yield "messageStop", {"stopReason": _stop_reason(answer)}
    if answer.usage or answer.extra:
        usage = {"usage": _usage(answer.usage)} if answer.usage else {}
        yield "metadata", {**usage, "metrics": _METRICS, **answer.extra}


def _blocks(answer: Answer) -> Iterator[list[_Block]]:
    """Yield the content blocks. Blocks that are sent at the same time form one list."""
    calls = iter(answer.tool_calls)
    for part, citations in with_citations(answer.parts):
        match part:
            case Text() | Json() | Refusal():
                yield [_text(part.text, cut_text(part.text, part.chunks), citations)]
            case Blocked():
                yield [_text(part.message, [part.message], ())]
            case Reasoning():
                yield [_reasoning(part)]
            case EncryptedReasoning(data):
                redacted = {"reasoningContent": {"redactedContent": data}}
                yield [_Block(redacted, [redacted])]
            case Media(data, media_type) if media_type.startswith("image/"):
                source = {"source": {"bytes": base64.b64encode(data).decode()}}
                image = {"format": media_type.removeprefix("image/")}
                yield [_Block({"image": {**image, **source}}, [{"image": source}], {"image": image})]
            case ToolCall():
                yield [_call(next(calls))]
            case ToolCalls(members, "interleaved"):
                yield [_call(next(calls)) for _ in members]
            case ToolCalls(members, _):
                yield from ([_call(next(calls))] for _ in members)


def _text(text: str, pieces: Sequence[str], citations: Sequence[Citation]) -> _Block:
    deltas: list[Value] = [{"text": piece} for piece in pieces]
    if not citations:
        return _Block({"text": text}, deltas)
    cited = [_citation(citation) for citation in citations]
    whole = {"citationsContent": {"content": [{"text": text}], "citations": cited}}
    return _Block(whole, [*deltas, *({"citation": citation} for citation in cited)])


def _citation(citation: Citation) -> Value:
    return {
        "title": citation.title,
        "sourceContent": [{"text": citation.text}],
        "location": {"web": {"url": citation.url}},
    }


def _reasoning(part: Reasoning) -> _Block:
    whole = {"text": part.text}
    deltas: list[Value] = [{"reasoningContent": {"text": piece}} for piece in cut_text(part.text, part.chunks)]
    if part.signature is not None:
        whole["signature"] = part.signature
        deltas.append({"reasoningContent": {"signature": part.signature}})
    return _Block({"reasoningContent": {"reasoningText": whole}}, deltas)


def _call(call: ToolCall) -> _Block:
    named = {"name": call.name, "toolUseId": call.id}
    pieces = ["", *call.fragments]
    deltas: list[Value] = [{"toolUse": {"input": piece}} for piece in pieces]
    return _Block({"toolUse": {**named, "input": call.value}}, deltas, {"toolUse": named})


def _stop_reason(answer: Answer) -> str:
    if answer.blocked:
        return answer.blocked.reason or "guardrail_intervened"
    return _STOP_REASONS.get(answer.finish, answer.finish)


def _usage(usage: Usage) -> Value:
    """Return usage in Bedrock's counts: the input tokens exclude those of the cache, the total does not."""
    counts = {
        "inputTokens": usage.input - usage.cached - usage.cache_write,
        "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output,
    }
    if usage.cached or usage.cache_write:
        counts.update(cacheReadInputTokens=usage.cached, cacheWriteInputTokens=usage.cache_write)
    return counts
