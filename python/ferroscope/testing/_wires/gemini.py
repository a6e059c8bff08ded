"""The Gemini wire: `generateContent` of the Gemini API and of Vertex AI.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import unquote

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import (
    Answer,
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
)
from ferroscope.testing._wires.wire import Wire, dumps, split_sse

__all__ = ["Gemini"]

_PATH = re.compile(
    r"/v1(?:alpha|beta|beta1)?/(?:.+/)?(?:models|tunedModels|endpoints)/([^/]+):(?:generate|streamGenerate)Content"
)
_FINISH_REASONS = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")

Part = dict[str, Any]


class Gemini(Wire):
    """`:generateContent` and `:streamGenerateContent`, as server-sent events (`alt=sse`) or as a JSON array."""

    mounts: Mapping[str, str] = MappingProxyType({"google": "/google", "gemini": "/google", "vertex": "/google"})
    garbage: ClassVar[bytes] = b'data: {"candidates": [{\r\n\r\n'

    def accepts(self, method: str, path: str) -> bool:
        return method == "POST" and _PATH.search(path) is not None

    def wants_stream(self, request: Request) -> bool:
        return request.path.endswith(":streamGenerateContent")

    def stream_content_type(self, request: Request) -> str:
        return "text/event-stream" if _is_sse(request) else "application/json; charset=UTF-8"

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        responses = _responses(answer, request)
        if _is_sse(request):
            for response in responses:
                yield b"data: " + dumps(response) + b"\r\n\r\n"
            return
        opening = b"["
        for response in responses:
            yield opening + _pretty(response)
            opening = b"\n,\r\n"
        yield b"\n]"

    def render_body(self, answer: Answer, request: Request) -> dict[str, Any]:
        parts = [part for event in _events(answer, whole=True) for part in event]
        return _response(answer, request, [_closing(answer, request, index, parts) for index in _choices(request)], 1.0)

    def render_error(self, failure: Failure, request: Request) -> bytes:
        error = _pretty(_error(failure))
        return b"[" + error + b"\n]" if self.wants_stream(request) and not _is_sse(request) else error

    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        error = _pretty(_error(failure))
        if _is_sse(request):
            return error + b"\n"
        return (b"\n,\r\n" if after else b"[") + error + b"\n]"

    def split(self, recording: bytes) -> Iterable[bytes]:
        return _split_array(recording) if recording.lstrip().startswith(b"[") else split_sse(recording)


def _is_sse(request: Request) -> bool:
    return request.parameters.get("alt") == "sse"


def _is_vertex(request: Request) -> bool:
    return "/publishers/" in request.path or "/endpoints/" in request.path


def _choices(request: Request) -> range:
    return range((request.json.get("generationConfig") or {}).get("candidateCount") or 1)


def _responses(answer: Answer, request: Request) -> Iterator[dict[str, Any]]:
    """Yield the chunks of a stream: the parts one after the other, then a chunk with the finish reason."""
    events = list(_events(answer, whole=False))
    for number, parts in enumerate(events, 1):
        for index in _choices(request):
            yield _response(answer, request, [_candidate(request, index, parts)], number / (len(events) + 1))
    for index in _choices(request):
        closing = _closing(answer, request, index, [{"text": ""}] if events else [])
        yield _response(answer, request, [closing], 1.0)


def _response(answer: Answer, request: Request, candidates: list[Part], share: float) -> dict[str, Any]:
    """Return one response. `share` is the fraction of the output that has been sent with it."""
    in_path = _PATH.search(request.path)
    response: dict[str, Any] = {"candidates": candidates}
    if answer.blocked:
        feedback = {"blockReason": answer.blocked.reason or "PROHIBITED_CONTENT"}
        response = {"promptFeedback": {**feedback, "blockReasonMessage": answer.blocked.message}}
    if answer.usage:
        response["usageMetadata"] = _usage(answer, answer.usage, share)
        if _is_vertex(request):
            response["usageMetadata"]["trafficType"] = "ON_DEMAND"
    response["modelVersion"] = answer.model or (unquote(in_path[1]) if in_path else "model")
    if _is_vertex(request):
        response["createTime"] = "2026-01-01T00:00:00.000000Z"
    response["responseId"] = f"resp_{request.number}"
    return {**response, **answer.extra}


def _candidate(request: Request, index: int, parts: list[Part]) -> Part:
    candidate: Part = {}
    if parts:
        candidate["content"] = {"parts": parts, "role": "model"}
    if index or not _is_vertex(request):  # Vertex AI omits a zero
        candidate["index"] = index
    return candidate


def _closing(answer: Answer, request: Request, index: int, parts: list[Part]) -> Part:
    """Return a candidate with its finish reason."""
    candidate = _candidate(request, index, parts)
    candidate["finishReason"] = _FINISH_REASONS.get(answer.finish, answer.finish)
    if answer.finish_message is not None:
        candidate["finishMessage"] = answer.finish_message
    if answer.citations:
        candidate["groundingMetadata"] = _grounding(answer)
    return candidate


def _grounding(answer: Answer) -> dict[str, Any]:
    supports: list[Part] = []
    for number, citation in enumerate(answer.citations):
        start, end = (len(answer.text[:place].encode()) for place in answer.span(citation))
        segment = {"startIndex": start, "endIndex": end, "text": citation.text}
        supports.append({"segment": segment, "groundingChunkIndices": [number]})
    chunks = [{"web": {"uri": citation.url, "title": citation.title}} for citation in answer.citations]
    return {"groundingChunks": chunks, "groundingSupports": supports}


def _usage(answer: Answer, usage: Usage, share: float) -> dict[str, Any]:
    """Return cumulative counts. The candidates exclude thoughts, and zeros are omitted."""
    output = 0 if answer.blocked else int(usage.output * share)
    thoughts = min(usage.reasoning, output)
    counts = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": output - thoughts,
        "totalTokenCount": usage.input + output,
        "cachedContentTokenCount": usage.cached,
        "thoughtsTokenCount": thoughts,
    }
    found: dict[str, Any] = {name: count for name, count in counts.items() if count}
    found["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": usage.input}]
    return found


def _events(answer: Answer, *, whole: bool) -> Iterator[list[Part]]:
    """Yield the parts of an answer, with the parts of one chunk in one list. `whole` parts are not split."""
    for part in answer.parts:
        match part:
            case Text() | Json() | Refusal():
                pieces = [part.text] if whole and part.text else cut_text(part.text, part.chunks)
                signature = part.signature if isinstance(part, Text) else None
                yield from _texts(pieces, {}, signature)
            case Reasoning(text, chunks, _, signature):
                yield from _texts([text] if whole and text else cut_text(text, chunks), {"thought": True}, signature)
            case EncryptedReasoning(data):
                yield [{"text": "", "thoughtSignature": data}]
            case Media(data, media_type):
                yield [{"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}}]
            case ToolCall():
                yield [_call(part)]
            case ToolCalls(calls, "together"):
                yield [_call(call) for call in calls]
            case ToolCalls(calls, "by_path") if not whole:
                for call in calls:
                    yield from ([piece] for piece in _call_by_path(call))
            case ToolCalls(calls, _):
                yield from ([_call(call)] for call in calls)


def _texts(pieces: list[str], marks: Part, signature: str | None) -> Iterator[list[Part]]:
    parts: list[Part] = [{"text": piece, **marks} for piece in pieces]
    if signature is not None:
        parts = parts or [{"text": "", **marks}]
        parts[-1]["thoughtSignature"] = signature
    yield from ([part] for part in parts)


def _opened(call: ToolCall, **members: Any) -> Part:
    named: Part = {"name": call.name, **members}
    if call.id is not None:
        named["id"] = call.id
    part: Part = {"functionCall": named}
    if call.signature is not None:
        part["thoughtSignature"] = call.signature
    return part


def _arguments(call: ToolCall) -> Mapping[str, Any]:
    """Return the arguments as an object: the format cannot carry anything else."""
    return call.value if isinstance(call.value, Mapping) else {}


def _call(call: ToolCall) -> Part:
    return _opened(call) if call.arguments is None else _opened(call, args=_arguments(call))


def _call_by_path(call: ToolCall) -> Iterator[Part]:
    """Yield a call whose arguments are values at JSON paths. A piece without `willContinue` ends it."""
    if not _arguments(call):
        yield _opened(call)
        return
    yield _opened(call, willContinue=True)
    for path, value in _leaves("$", _arguments(call)):
        for partial in _partials(path, value, call):
            yield {"functionCall": {"partialArgs": [partial], "willContinue": True}}
    yield {"functionCall": {}}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            step = f".{name}" if _IDENTIFIER.fullmatch(name) else f"[{json.dumps(name)}]"
            yield from _leaves(path + step, member)
    elif isinstance(value, list | tuple):
        for number, element in enumerate(value):
            yield from _leaves(f"{path}[{number}]", element)
    else:
        yield path, value


def _partials(path: str, value: Any, call: ToolCall) -> Iterator[Part]:
    if isinstance(value, str):
        chunks = call.chunks if isinstance(call.chunks, int) else 3
        for piece in cut_text(value, chunks):
            yield {"jsonPath": path, "stringValue": piece, "willContinue": True}
        yield {"jsonPath": path, "stringValue": ""}
    elif value is None:
        yield {"jsonPath": path, "nullValue": "NULL_VALUE"}
    else:
        yield {"jsonPath": path, "boolValue" if isinstance(value, bool) else "numberValue": value}


def _error(failure: Failure) -> dict[str, Any]:
    word = failure.type or _STATUS_WORDS.get(failure.status, "INTERNAL")
    return {"error": {"code": failure.status, "message": failure.message, "status": word, **failure.extra}}


def _pretty(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _split_array(recording: bytes) -> Iterator[bytes]:
    """Yield a JSON array in pieces that end after each of its elements."""
    depth = start = 0
    for match in re.finditer(rb'"(?:[^"\\]|\\.)*"|[{}]', recording):
        depth += {b"{": 1, b"}": -1}.get(match[0], 0)
        if match[0] == b"}" and depth == 0:
            yield recording[start : match.end()]
            start = match.end()
    if start < len(recording):
        yield recording[start:]
