"""The wire of OpenAI's Responses API, which Azure, xAI and other services have too.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

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
from ferroscope.testing._wires.openai_chat import OpenAIChat
from ferroscope.testing._wires.wire import Wire

__all__ = ["OpenAIResponses"]

_PATH = re.compile(r".*/responses(?:/(?P<id>[^/]+))?(?P<cancel>/cancel)?")
_CREATED = 1_700_000_000
_ENDINGS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {
        "stop": ("completed", None),
        "tool_calls": ("completed", None),
        "length": ("incomplete", "max_output_tokens"),
        **{status: (status, None) for status in ("completed", "failed", "cancelled", "queued", "in_progress")},
    }
)
"""The status of the response and the reason why it is incomplete, by finish reason."""
_ECHOED: Mapping[str, Any] = MappingProxyType(
    {
        "background": False,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
    }
)
"""The parameters that a response repeats, with their defaults."""
_ENCRYPTED = "Z0FBQUFB"
_PADDING = "aOvyKe3dhZpT"

Event = dict[str, Any]
Value = dict[str, Any]


class OpenAIResponses(Wire):
    """`POST .../responses`, and `GET .../responses/{id}` for a background run.

    A finish reason of the answer becomes the status of the response: `length` and `content_filter` make it
    incomplete, and its last item too. `failed`, `cancelled`, `queued` and `in_progress` are statuses as well.
    `GET` with `stream=true&starting_after=n` sends the events after that sequence number.
    """

    mounts: Mapping[str, str] = MappingProxyType({"openai-responses": "/openai/v1"})

    def accepts(self, method: str, path: str) -> bool:
        found = _PATH.fullmatch(path)
        if found is None:
            return False
        return method == ("GET" if found["id"] and not found["cancel"] else "POST")

    def body_of(self, request: Request) -> Mapping[str, Any]:
        return _asked(request)

    def wants_stream(self, request: Request) -> bool:
        if request.method == "GET":
            return request.parameters.get("stream") == "true"
        return bool(_asked(request).get("stream"))

    def blocked_error(self, blocked: Blocked) -> Failure | None:
        return Failure(blocked.message, 400, "invalid_request_error", blocked.reason or "invalid_prompt")

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        after = int(request.parameters.get("starting_after", -1))
        options = _asked(request).get("stream_options") or {}
        padded = options.get("include_obfuscation", True)
        for number, event in enumerate(_events(answer, request)):
            framed = {"type": event["type"], "sequence_number": number, **event}
            if padded and event["type"].endswith(".delta"):
                framed["obfuscation"] = _PADDING[: 1 + number * 5 % len(_PADDING)]
            if number > after:
                yield _frame(framed)

    def render_body(self, answer: Answer, request: Request) -> Value:
        return _ended(answer, request, [item.whole for items in _output(answer, request) for item in items])

    def render_error(self, failure: Failure, request: Request) -> bytes:
        return OpenAIChat().render_error(failure, request)

    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        error = json.loads(self.render_error(failure, request))["error"]
        return _frame({"type": "error", "sequence_number": after, "error": error})


@dataclass(frozen=True, slots=True)
class _Item:
    """One output item: complete, at its begin, and the events in between."""

    whole: Value
    started: Value
    events: Sequence[Event]

    def stream(self, index: int) -> Iterator[Event]:
        at = {"output_index": index}
        yield {"type": "response.output_item.added", **at, "item": self.started}
        for event in self.events:
            yield {**event, "item_id": self.whole["id"], **at}
        yield {"type": "response.output_item.done", **at, "item": self.whole}


def _asked(request: Request) -> Mapping[str, Any]:
    """Return the parameters of a request. A request that names a response concerns a background run."""
    in_path = _PATH.fullmatch(request.path)
    return {"background": True} if in_path and in_path["id"] else request.json


def _frame(event: Event) -> bytes:
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event['type']}\ndata: {data}\n\n".encode()


def _events(answer: Answer, request: Request) -> Iterator[Event]:
    started = _response(answer, request)
    if started["background"]:
        yield {"type": "response.queued", "response": {**started, "status": "queued"}}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    done: list[Value] = []
    for items in _output(answer, request):
        streams = [item.stream(len(done) + offset) for offset, item in enumerate(items)]
        # Interleaved items all begin at the same time.
        for row in zip_longest(*streams):
            yield from (event for event in row if event is not None)
        done += (item.whole for item in items)
    last = _ended(answer, request, done)
    if last["status"] in {"completed", "incomplete", "failed"}:
        yield {"type": f"response.{last['status']}", "response": last}


def _response(answer: Answer, request: Request) -> Value:
    """Return the response at its begin, without output."""
    asked = _asked(request)
    in_path = _PATH.fullmatch(request.path)
    return {
        "id": (in_path and in_path["id"]) or f"resp_{request.number}",
        "object": "response",
        "created_at": _CREATED,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": answer.model or asked.get("model", "model"),
        "output": [],
        "service_tier": "default",
        "usage": None,
        **{name: asked.get(name, default) for name, default in _ECHOED.items()},
        **answer.extra,
    }


def _status(answer: Answer) -> tuple[str, str | None]:
    return _ENDINGS.get(answer.finish, ("incomplete", answer.finish))


def _output(answer: Answer, request: Request) -> list[list[_Item]]:
    """Return the output items in groups that are sent at the same time."""
    groups = list(_items(answer, request))
    if groups and _status(answer)[0] == "incomplete":
        last = groups[-1][-1].whole
        if "status" in last:
            last["status"] = "incomplete"
    return groups


def _ended(answer: Answer, request: Request, items: list[Value]) -> Value:
    status, reason = _status(answer)
    response = {**_response(answer, request), "status": status, "output": items}
    if reason:
        response["incomplete_details"] = {"reason": reason}
    if status == "failed":
        message = answer.finish_message or "The server had an error while processing your request."
        response["error"] = {"code": "server_error", "message": message}
    if answer.usage and status in {"completed", "incomplete", "failed"}:
        response["usage"] = _usage(answer.usage)
    return response


def _usage(usage: Usage) -> Value:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def _items(answer: Answer, request: Request) -> Iterator[list[_Item]]:
    """Yield the output items. Items that are sent at the same time form one list."""
    encrypted = "reasoning.encrypted_content" in (_asked(request).get("include") or ())
    calls = iter(answer.tool_calls)
    content: list[tuple[Text | Json | Refusal, tuple[Citation, ...]]] = []
    number = 0

    def name(prefix: str) -> str:
        nonlocal number
        number += 1
        return f"{prefix}_{number}"

    for part, citations in with_citations(answer.parts):
        if isinstance(part, Text | Json | Refusal):
            content.append((part, citations))
            continue
        if content:
            yield [_message(name("msg"), content)]
            content = []
        match part:
            case Reasoning():
                yield [_reasoning(name("rs"), part, encrypted=encrypted)]
            case EncryptedReasoning(data):
                whole = {"id": name("rs"), "type": "reasoning", "summary": []}
                if encrypted:
                    whole["encrypted_content"] = data
                yield [_Item(whole, whole, [])]
            case ToolCall():
                yield [_call(name("fc"), next(calls))]
            case ToolCalls(members, "interleaved" | "together"):
                yield [_call(name("fc"), next(calls)) for _ in members]
            case ToolCalls(members, shape):
                for _ in members:
                    item = _call(name("fc"), next(calls), whole=shape == "whole")
                    yield [item]
            case Media(data, media_type) if media_type.startswith("image/"):
                yield [_image(name("ig"), data)]
    if content:
        yield [_message(name("msg"), content)]


def _message(id: str, content: Sequence[tuple[Text | Json | Refusal, tuple[Citation, ...]]]) -> _Item:
    started = {"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    parts: list[Value] = []
    events: list[Event] = []
    for index, (part, citations) in enumerate(content):
        at = {"content_index": index}
        extra: Event = {}
        if isinstance(part, Refusal):
            whole: Value = {"type": "refusal", "refusal": part.text}
            empty = {**whole, "refusal": ""}
            kind, member = "refusal", "refusal"
        else:
            found = [_citation(part.text, citation) for citation in citations]
            whole = {"type": "output_text", "annotations": found, "logprobs": [], "text": part.text}
            empty = {**whole, "annotations": [], "text": ""}
            kind, member, extra = "output_text", "text", {"logprobs": []}
        events.append({"type": "response.content_part.added", **at, "part": empty})
        for piece in cut_text(part.text, part.chunks):
            events.append({"type": f"response.{kind}.delta", **at, "delta": piece, **extra})
        for number, annotation in enumerate(whole.get("annotations", ())):
            named = {"annotation_index": number, "annotation": annotation}
            events.append({"type": "response.output_text.annotation.added", **at, **named})
        events.append({"type": f"response.{kind}.done", **at, member: part.text, **extra})
        events.append({"type": "response.content_part.done", **at, "part": whole})
        parts.append(whole)
    return _Item({**started, "status": "completed", "content": parts}, started, events)


def _citation(text: str, citation: Citation) -> Value:
    start = max(text.find(citation.text), 0)
    return {
        "type": "url_citation",
        "start_index": start,
        "end_index": start + len(citation.text),
        "url": citation.url,
        "title": citation.title,
    }


def _reasoning(id: str, part: Reasoning, *, encrypted: bool) -> _Item:
    """Return reasoning: a summary, or the reasoning itself if the part names the field of another server."""
    started: Value = {"id": id, "type": "reasoning", "summary": []}
    kind, index = ("reasoning_summary", "summary_index") if part.field is None else ("reasoning", "content_index")
    at = {index: 0}
    whole = {"type": "summary_text" if part.field is None else "reasoning_text", "text": part.text}
    events: list[Event] = [{"type": f"response.{kind}_part.added", **at, "part": {**whole, "text": ""}}]
    for piece in cut_text(part.text, part.chunks):
        events.append({"type": f"response.{kind}_text.delta", **at, "delta": piece})
    events.append({"type": f"response.{kind}_text.done", **at, "text": part.text})
    events.append({"type": f"response.{kind}_part.done", **at, "part": whole})
    done = {**started, "summary" if part.field is None else "content": [whole] if part.text else []}
    if encrypted:
        done["encrypted_content"] = part.signature or _ENCRYPTED
    return _Item(done, started, events if part.text else [])


def _call(id: str, call: ToolCall, *, whole: bool = False) -> _Item:
    text = call.text or ""
    started = {
        "id": id,
        "type": "function_call",
        "status": "in_progress",
        "arguments": "",
        "call_id": call.id,
        "name": call.name,
    }
    kind = "response.function_call_arguments"
    events: list[Event] = []
    if not whole:
        events += ({"type": f"{kind}.delta", "delta": piece} for piece in call.fragments)
    events.append({"type": f"{kind}.done", "arguments": text})
    return _Item({**started, "status": "completed", "arguments": text}, started, events)


def _image(id: str, data: bytes) -> _Item:
    started = {"id": id, "type": "image_generation_call", "status": "in_progress", "result": None}
    events: list[Event] = [
        {"type": f"response.image_generation_call.{status}"} for status in ("in_progress", "generating", "completed")
    ]
    return _Item({**started, "status": "completed", "result": base64.b64encode(data).decode()}, started, events)
