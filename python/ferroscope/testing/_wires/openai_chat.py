"""OpenAI's chat-completions wire, for OpenAI and each compatible server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import Answer, Blocked, Failure
from ferroscope.testing._wires.chat_message import Delta, deltas_of, message_of
from ferroscope.testing._wires.chat_server import ChatServer, put
from ferroscope.testing._wires.chat_servers import OPENAI
from ferroscope.testing._wires.wire import Wire, dumps

__all__ = ["OpenAIChat"]

_CREATED = 1_700_000_000
_PADDING = "abcdefgh"
_ERROR_TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}
_GOOGLE_STATUS = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


class OpenAIChat(Wire):
    """`POST .../chat/completions`, with a stream of server-sent events or one body.

    Args:
        server: The server whose differences apply.
    """

    def __init__(self, server: ChatServer = OPENAI) -> None:
        self.server = server
        self.mounts: Mapping[str, str] = MappingProxyType({server.name: server.mount})

    def accepts(self, method: str, path: str) -> bool:
        ours = self.server is OPENAI or path.startswith(f"/{self.server.name}/")
        return ours and method == "POST" and path.endswith("/chat/completions")

    def blocked_error(self, blocked: Blocked) -> Failure | None:
        return Failure(blocked.message, 400, "invalid_request_error", blocked.reason or "invalid_prompt")

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        return _Stream(self.server, answer, request).events()

    def render_body(self, answer: Answer, request: Request) -> dict[str, Any]:
        server = self.server
        message = message_of(answer, server)
        choice = {**server.choice, **_finish(server, answer)}
        body: dict[str, Any] = {
            **_top(server, answer, request, "chat.completion"),
            **deepcopy(dict(server.last)),
            **_sources(server, answer),
            **answer.extra,
            "choices": [{"index": index, "message": message, **choice} for index in range(request.json.get("n") or 1)],
        }
        if answer.usage:
            body["usage"] = server.counts(answer.usage)
        return body

    def render_error(self, failure: Failure, request: Request) -> bytes:
        return dumps(_error(self.server, failure))

    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        server, body = self.server, _error(self.server, failure)
        match server.stream_error:
            case "data":
                return _line(server, dumps(body))
            case "event":
                if isinstance(body["error"], dict):
                    body["error"]["status_code"] = failure.status
                return b"event: error" + server.line_end.encode() + _line(server, dumps(body))
            case "field":
                return b"error: " + dumps(body) + server.line_end.encode() * 2
            case "beside_choices":
                top = _top(server, Answer(), request, "chat.completion.chunk")
                choice = {"index": 0, "delta": dict(server.delta), **server.choice, "finish_reason": "error"}
                return _line(server, dumps({**top, "choices": [choice], **body}))


class _Stream:
    """The events of one streamed answer."""

    def __init__(self, server: ChatServer, answer: Answer, request: Request) -> None:
        self.server = server
        self.answer = answer
        self.choices = range(request.json.get("n") or 1)
        self.top = _top(server, answer, request, "chat.completion.chunk") | dict(answer.extra)
        asked = bool((request.json.get("stream_options") or {}).get("include_usage"))
        self.places = server.places(answer.usage_in, asked=asked) if answer.usage else ()
        self.null_usage = server.usage_null and any(place.member == ("usage",) for place in self.places)
        self.sources = _sources(server, answer)
        self.number = 0
        # Only the delta differs between chunks. The rest is serialized once per stream.
        self.head = _head(self.top)
        self.pad = {server.padding: _PADDING} if server.padding else {}

    def events(self) -> Iterator[bytes]:
        server = self.server
        events = self.chunks()
        for number, event in enumerate(events):
            comment = f": {server.keep_alive}{server.line_end * 2}".encode() if server.keep_alive else b""
            yield comment + event if number < 2 else event
        if server.done:
            yield _line(server, b"[DONE]")

    def chunks(self) -> Iterator[bytes]:
        server = self.server
        deltas = list(self.deltas())
        closing = None if server.closing is None else {**server.delta, **server.closing}
        if server.finish_with_content and len(deltas) > 1:
            closing = deltas.pop()
        if server.prelude is not None:
            yield _line(server, dumps(server.prelude))
        sent = ""
        for number, delta in enumerate(deltas):
            top = self.usage_in("every_chunk", (number + 1) / (len(deltas) + 1))
            if number == 0:
                top.update(server.first)
            if server.citations == "every_chunk":
                top.update(self.sources)
            sent = self.so_far(sent, delta)
            for index in self.choices:
                yield self.chunk([self.choice(index, delta, sent)], top)
        own = any(place.chunk == "own_chunk" for place in self.places)
        top = {**self.usage_in("every_chunk"), **self.usage_in("finish_chunk")}
        for name, member in server.last.items():
            top[name] = {**member, **top[name]} if name in top and isinstance(member, Mapping) else member
        if not own or server.citations == "every_chunk":
            top.update(self.sources)
        sent = self.so_far(sent, closing or {})
        for index in self.choices:
            yield self.chunk([self.choice(index, closing, sent, finish=True)], top)
        if own:
            empty = [self.choice(0, dict(server.delta), sent)] if server.usage_choice else []
            yield self.chunk(empty, {**self.usage_in("own_chunk"), **self.sources})

    def deltas(self) -> Iterator[Delta]:
        server, answer = self.server, self.answer
        opening = server.opening
        if opening is not None:
            silent = not answer.text and (answer.tool_calls or answer.refusal)
            nothing = {"content": None} if silent and opening.get("content") == "" else {}
            yield {**server.delta, **opening, **nothing}
        for number, delta in enumerate(deltas_of(answer, server)):
            role = {"role": "assistant"} if opening is None and number == 0 else {}
            yield {**server.delta, **role, **delta}

    def choice(self, index: int, delta: Delta | None, sent: str, *, finish: bool = False) -> dict[str, Any]:
        server = self.server
        choice = {"index": index, "delta": delta, **server.choice}
        if server.message_so_far:
            choice["message"] = {"role": "assistant", "content": sent}
        if finish:
            choice.update(_finish(server, self.answer))
            for place in self.places:
                if place.member == "choice" and self.answer.usage:
                    choice["usage"] = server.counts(self.answer.usage)
        return choice

    def so_far(self, sent: str, delta: Delta) -> str:
        content = delta.get("content")
        return sent + content if self.server.message_so_far and isinstance(content, str) else sent

    def usage_in(self, chunk: str, share: float = 1.0) -> dict[str, Any]:
        """Return the top-level members that carry usage in such a chunk."""
        members: dict[str, Any] = {}
        for place in self.places:
            if place.chunk == chunk and place.member != "choice" and self.answer.usage:
                put(members, place.member, self.server.counts(self.answer.usage, share))
        return members

    def chunk(self, choices: list[dict[str, Any]], top: Mapping[str, Any]) -> bytes:
        self.number += 1
        if self.server.ids == "changing":
            self.head = _head({**self.top, "id": f"{self.top['id']}-{self.number}"})
        null = {"usage": None} if self.null_usage and "usage" not in top else {}
        tail = {**top, **null, **self.pad}
        rest = b"," + dumps(tail)[1:] if tail else b"}"
        return _line(self.server, self.head + dumps(choices) + rest)


def _line(server: ChatServer, data: bytes) -> bytes:
    return server.data.encode() + data + server.line_end.encode() * 2


def _head(top: Mapping[str, Any]) -> bytes:
    return dumps(top)[:-1] + b',"choices":'


def _top(server: ChatServer, answer: Answer, request: Request, kind: str) -> dict[str, Any]:
    return {
        "id": "" if server.ids == "empty" else f"chatcmpl-{request.number}",
        "object": kind,
        "created": _CREATED,
        "model": answer.model or request.json.get("model", "model"),
        **server.top,
    }


def _finish(server: ChatServer, answer: Answer) -> dict[str, Any]:
    word = server.finish_words.get(answer.finish, answer.finish)
    return {"finish_reason": word, **({"native_finish_reason": word} if server.native_finish else {})}


def _sources(server: ChatServer, answer: Answer) -> dict[str, Any]:
    """Return the citations of an answer for the top of a chunk, if the server sends them there."""
    if not answer.citations or server.citations in ("annotations", "references"):
        return {}
    found: dict[str, Any] = {"citations": [citation.url for citation in answer.citations]}
    if server.citations == "every_chunk":
        found["search_results"] = [{"title": one.title, "url": one.url} for one in answer.citations]
    return found


def _error(server: ChatServer, failure: Failure) -> dict[str, Any]:
    kind, code = _ERROR_TYPES.get(failure.status, ("server_error", None))
    error = {
        "message": failure.message,
        "type": failure.type or kind,
        "param": failure.param,
        "code": failure.code or code,
        **failure.extra,
    }
    match server.error:
        case "openai":
            return {"error": error}
        case "coded":
            coded = {"message": failure.message, "type": error["type"], "code": failure.status}
            return {"error": {**coded, **failure.extra}}
        case "flat":
            return {"object": "error", **error}
        case "text":
            return {"code": error["code"] or error["type"], "error": failure.message, **failure.extra}
        case "google":
            word = failure.type or _GOOGLE_STATUS.get(failure.status, "INTERNAL")
            return {"error": {"code": failure.status, "message": failure.message, "status": word, **failure.extra}}
