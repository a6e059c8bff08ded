"""The message of OpenAI's chat format, complete and in deltas, as each compatible server sends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from ferroscope.testing._vocabulary import (
    Answer,
    Citation,
    EncryptedReasoning,
    Json,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolCalls,
    ToolCallShape,
    cut_text,
)
from ferroscope.testing._wires.chat_server import ChatServer

__all__ = ["Delta", "deltas_of", "message_of"]

Delta = dict[str, Any]

_FORMAT = "unknown"


def message_of(answer: Answer, server: ChatServer) -> Delta:
    """Return the whole message."""
    calls = _calls(answer, server)
    message: Delta = {
        "role": "assistant",
        "content": answer.text if answer.text or not (calls or answer.refusal) else None,
    }
    if "refusal" in (server.opening or {}) or answer.refusal:
        message["refusal"] = answer.refusal or None
    details: list[Delta] = []
    parts: list[Delta] = []
    for part in answer.parts:
        match part:
            case Text() | Json():
                parts.append({"type": "text", "text": part.text})
            case Reasoning(text, _, name, signature) if server.reasoning == "content" and name is None:
                parts.append(_thinking(text, signature=signature, closed=True))
            case Reasoning(text, _, name, signature):
                message[name or server.reasoning] = message.get(name or server.reasoning, "") + text
                details.append(_detail(text, signature))
            case EncryptedReasoning(data):
                details.append(_encrypted(data))
                if server.encrypted:
                    message[server.encrypted] = data
            case Citation() if server.citations == "annotations":
                message.setdefault("annotations", []).append(_annotation(answer, part))
            case Citation() if server.citations == "references":
                parts.append(_reference(answer, part))
            case _:
                pass
    if any(part["type"] != "text" for part in parts):
        message["content"] = parts
    if details and server.reasoning_details:
        message["reasoning_details"] = details
    if calls:
        message["tool_calls"] = [_whole(None, call, server) for call in calls]
    return message


def deltas_of(answer: Answer, server: ChatServer) -> Iterator[Delta]:
    """Yield the deltas that carry the parts of an answer."""
    calls = iter(_calls(answer, server))
    position = 0
    for part in answer.parts:
        match part:
            case Text() | Json():
                yield from ({"content": piece} for piece in cut_text(part.text, part.chunks))
            case Refusal(text, chunks):
                yield from ({"refusal": piece} for piece in cut_text(text, chunks))
            case Reasoning():
                yield from _reasoning(part, server)
            case EncryptedReasoning(data):
                if server.reasoning_details:
                    yield {"reasoning_details": [_encrypted(data)]}
                elif server.encrypted:
                    yield {server.encrypted: data}
            case Citation() if server.citations == "annotations":
                yield {"annotations": [_annotation(answer, part)]}
            case Citation() if server.citations == "references":
                yield {"content": [_reference(answer, part)]}
            case ToolCall():
                call = next(calls)
                yield from _tool_deltas([(position, call)], _shape([call], None, server), server)
                position += 1
            case ToolCalls(members, shape):
                numbered = [(position + offset, next(calls)) for offset in range(len(members))]
                scripted = _shape([call for _, call in numbered], shape, server)
                yield from _tool_deltas(numbered, scripted, server)
                position += len(members)
            case _:
                pass


def _calls(answer: Answer, server: ChatServer) -> list[ToolCall]:
    """Return the calls with their ids: the scripted ids, or else the server's own."""
    calls: list[ToolCall] = []
    for part in answer.parts:
        if isinstance(part, ToolCall | ToolCalls):
            calls += (part,) if isinstance(part, ToolCall) else part.calls
    return [replace(call, id=call.id or server.tool_id.format(number)) for number, call in enumerate(calls, 1)]


# --- reasoning ------------------------------------------------------------------------------------


def _reasoning(part: Reasoning, server: ChatServer) -> Iterator[Delta]:
    pieces = cut_text(part.text, part.chunks)
    if server.reasoning == "content" and part.field is None:
        for number, piece in enumerate(pieces, 1):
            closed = number == len(pieces)
            yield {"content": [_thinking(piece, signature=part.signature if closed else None, closed=closed)]}
        return
    field = part.field or server.reasoning
    for piece in pieces:
        details = {"reasoning_details": [_detail(piece, None)]} if server.reasoning_details else {}
        yield {field: piece, **details}
    if part.signature is not None and server.reasoning_details:
        signed = {"type": "reasoning.text", "signature": part.signature, "format": _FORMAT, "index": 0}
        yield {"reasoning_details": [signed]}


def _thinking(text: str, *, signature: str | None, closed: bool) -> Delta:
    part: Delta = {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
    if signature is not None:
        part["signature"] = signature
    if closed:
        part["closed"] = True
    return part


def _detail(text: str, signature: str | None) -> Delta:
    signed = {} if signature is None else {"signature": signature}
    return {"type": "reasoning.text", "text": text, **signed, "format": _FORMAT, "index": 0}


def _encrypted(data: str) -> Delta:
    return {"type": "reasoning.encrypted", "data": data, "format": _FORMAT, "index": 0}


# --- citations ------------------------------------------------------------------------------------


def _annotation(answer: Answer, citation: Citation) -> Delta:
    start, end = answer.span(citation)
    place = {"start_index": start, "end_index": end, "url": citation.url, "title": citation.title}
    return {"type": "url_citation", "url_citation": place}


def _reference(answer: Answer, citation: Citation) -> Delta:
    return {"type": "reference", "reference_ids": [answer.citations.index(citation)]}


# --- tool calls -----------------------------------------------------------------------------------


def _shape(calls: list[ToolCall], scripted: ToolCallShape | None, server: ChatServer) -> ToolCallShape:
    """Return the order and grouping of calls: the scripted one, or else the server's. Listed chunks are never
    joined.
    """
    if scripted is None and any(not isinstance(call.chunks, int | None) for call in calls):
        return "sequential"
    return scripted or server.tool_shape


def _tool_deltas(calls: list[tuple[int, ToolCall]], shape: ToolCallShape, server: ChatServer) -> Iterator[Delta]:
    def delta(*items: Delta) -> Delta:
        return {"tool_calls": list(items)}

    match shape:
        case "sequential" | "by_path":
            for index, call in calls:
                yield from map(delta, _fragments(index, call, server))
        case "same_index":
            for _, call in calls:
                yield from map(delta, _fragments(0, call, server))
        case "without_index":
            for _, call in calls:
                yield from map(delta, _fragments(None, call, server))
        case "repeated_id":
            for index, call in calls:
                yield from map(delta, _fragments(index, call, server, repeat=True))
        case "interleaved":
            # Without an index, interleaved fragments belong to no call.
            server = replace(server, tool_index="position") if server.tool_index == "missing" else server
            for row in zip_longest(*(_fragments(index, call, server) for index, call in calls)):
                yield from (delta(item) for item in row if item is not None)
        case "together":
            yield delta(*(_whole(index, call, server) for index, call in calls))
        case "whole":
            yield from (delta(_whole(index, call, server)) for index, call in calls)


def _index(position: int | None, server: ChatServer) -> Delta:
    match server.tool_index:
        case _ if position is None:
            return {}
        case "position":
            return {"index": position}
        case "zero":
            return {"index": 0}
        case "minus_one":
            return {"index": -1}
        case "from_one":
            return {"index": position + 1}
        case "missing":
            return {}


def _named(position: int | None, call: ToolCall, server: ChatServer) -> Delta:
    named = {**_index(position, server), "id": call.id}
    if server.tool_type:
        named["type"] = "function"
    if call.signature is not None and server.thought_signatures:
        named["extra_content"] = {"google": {"thought_signature": call.signature}}
    return named


def _whole(position: int | None, call: ToolCall, server: ChatServer) -> Delta:
    function: Delta = {"name": call.name}
    if call.text is not None:
        function["arguments"] = call.text
    elif position is None:
        function["arguments"] = ""  # a plain response always has them
    return {**_named(position, call, server), "function": function}


def _fragments(position: int | None, call: ToolCall, server: ChatServer, *, repeat: bool = False) -> Iterator[Delta]:
    named = _named(position, call, server)
    pieces = call.fragments
    opening: Delta = {"name": call.name}
    if call.text is not None:
        opening["arguments"] = "" if server.tool_opening or not pieces else pieces.pop(0)
    yield {**named, "function": opening}
    for piece in pieces:
        if repeat:
            yield {**named, "function": {"name": call.name, "arguments": piece}}
        else:
            yield {**_index(position, server), "function": {"arguments": piece}}
