"""Bodies of streams, written by hand: one class per wire format, with the same pieces."""

from __future__ import annotations

import json
from typing import Any

from ferroscope.testing._wires.aws_event_stream import frame


class Events:
    """Bodies of server-sent events."""

    @staticmethod
    def error(reported: Any) -> bytes:
        return b"data: " + json.dumps(reported).encode() + b"\n\n"


class Chat(Events):
    """Bodies of chat completions."""

    @staticmethod
    def event(delta: bytes, extra: bytes = b"") -> bytes:
        head = b'{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{'
        return b"data: " + head + delta + b"}}]" + extra + b"}\n\n"

    @classmethod
    def opening(cls) -> bytes:
        return cls.text(b"Hello")

    @classmethod
    def text(cls, quoted: bytes, extra: bytes = b"") -> bytes:
        return cls.event(b'"content":"' + quoted + b'"', extra)

    @classmethod
    def calls(cls, *indexes: int) -> bytes:
        call = b'{"index":%d,"id":"c%d","type":"function","function":{"name":"f","arguments":"{}"}}'
        return cls.event(b'"tool_calls":[' + b",".join(call % (index, index) for index in indexes) + b"]")

    @staticmethod
    def end() -> bytes:
        return b"data: [DONE]\n\n"

    odd = b'data: {"id":5,"choices":null,"model":[1],"usage":"none"}\n\n'


class Responses(Events):
    """Bodies of OpenAI's Responses API."""

    @staticmethod
    def event(kind: bytes, members: bytes) -> bytes:
        return b'data: {"type":"response.' + kind + b'",' + members + b"}\n\n"

    @classmethod
    def opening(cls) -> bytes:
        response = b'"response":{"id":"r1","object":"response","model":"m","status":"in_progress","output":[]}'
        return cls.event(b"created", response) + cls.text(b"Hello")

    @classmethod
    def text(cls, quoted: bytes, extra: bytes = b"") -> bytes:
        members = b'"item_id":"m","output_index":0,"content_index":0,"delta":"' + quoted + b'"'
        return cls.event(b"output_text.delta", members + extra)

    @classmethod
    def calls(cls, *indexes: int) -> bytes:
        item = b'{"type":"function_call","id":"f%d","call_id":"c%d","name":"f","arguments":"{}"}'
        if len(indexes) == 1:
            return cls.event(b"output_item.done", b'"output_index":%d,"item":' % indexes + item % (indexes * 2))
        output = b",".join(item % (index, index) for index in indexes)
        return cls.event(b"completed", b'"response":{"id":"r1","status":"completed","output":[' + output + b"]}")

    @classmethod
    def end(cls) -> bytes:
        return cls.event(b"completed", b'"response":{"id":"r1","status":"completed","output":[]}')

    odd = b'data: {"type":"response.in_progress","response":7,"sequence_number":"x"}\n\n'


class Messages(Events):
    """Bodies of Anthropic's messages."""

    @staticmethod
    def event(kind: bytes, members: bytes) -> bytes:
        return b'data: {"type":"' + kind + b'",' + members + b"}\n\n"

    @classmethod
    def opening(cls) -> bytes:
        message = b'"message":{"id":"m1","type":"message","role":"assistant","model":"m","content":[],"usage":{}}'
        block = b'"index":0,"content_block":{"type":"text","text":""}'
        return cls.event(b"message_start", message) + cls.event(b"content_block_start", block) + cls.text(b"Hello")

    @classmethod
    def text(cls, quoted: bytes, extra: bytes = b"") -> bytes:
        delta = b'"index":0,"delta":{"type":"text_delta","text":"' + quoted + b'"}'
        return cls.event(b"content_block_delta", delta + extra)

    @classmethod
    def calls(cls, *indexes: int) -> bytes:
        block = b'"index":%d,"content_block":{"type":"tool_use","id":"c%d","name":"f","input":{}}'
        return b"".join(cls.event(b"content_block_start", block % (index + 1, index)) for index in indexes)

    @classmethod
    def end(cls) -> bytes:
        return cls.event(b"message_delta", b'"delta":{"stop_reason":"end_turn"}') + b'data: {"type":"message_stop"}\n\n'

    odd = b'data: {"type":"message_delta","delta":null,"usage":null}\n\n'


class Contents(Events):
    """Bodies of Gemini's contents."""

    @staticmethod
    def event(parts: bytes, extra: bytes = b"") -> bytes:
        content = b'{"candidates":[{"index":0,"content":{"role":"model","parts":[' + parts + b"]}}]"
        return b"data: " + content + extra + b"}\n\n"

    @classmethod
    def opening(cls) -> bytes:
        return cls.text(b"Hello")

    @classmethod
    def text(cls, quoted: bytes, extra: bytes = b"") -> bytes:
        return cls.event(b'{"text":"' + quoted + b'"}', extra)

    @classmethod
    def calls(cls, *indexes: int) -> bytes:
        return cls.event(b",".join(b'{"functionCall":{"name":"f","args":{}}}' for _ in indexes))

    @staticmethod
    def end() -> bytes:
        return b'data: {"candidates":[{"index":0,"finishReason":"STOP"}]}\n\n'

    odd = b'data: {"candidates":null,"modelVersion":[1],"usageMetadata":"none"}\n\n'


class CohereChat(Events):
    """Bodies of Cohere's v2 chat."""

    @staticmethod
    def event(kind: bytes, members: bytes) -> bytes:
        return b"event: " + kind + b'\ndata: {"type":"' + kind + b'",' + members + b"}\n\n"

    @classmethod
    def opening(cls) -> bytes:
        message = b'"id":"m1","delta":{"message":{"role":"assistant","content":[]}}'
        content = b'"index":0,"delta":{"message":{"content":{"type":"text","text":""}}}'
        return cls.event(b"message-start", message) + cls.event(b"content-start", content) + cls.text(b"Hello")

    @classmethod
    def text(cls, quoted: bytes, extra: bytes = b"") -> bytes:
        delta = b'"index":0,"delta":{"message":{"content":{"text":"' + quoted + b'"}}}'
        return cls.event(b"content-delta", delta + extra)

    @classmethod
    def calls(cls, *indexes: int) -> bytes:
        call = b'{"id":"c%d","type":"function","function":{"name":"f","arguments":"{}"}}'
        start = b'"index":%d,"delta":{"message":{"tool_calls":' + call + b"}}"
        return b"".join(cls.event(b"tool-call-start", start % (index, index)) for index in indexes)

    @classmethod
    def end(cls) -> bytes:
        return cls.event(b"message-end", b'"delta":{"finish_reason":"COMPLETE"}')

    odd = b'event: debug\ndata: {"type":"debug","prompt":7}\n\n'


class Converse:
    """Bodies of Bedrock's Converse, in AWS's event stream."""

    @staticmethod
    def opening() -> bytes:
        delta = {"contentBlockIndex": 0, "delta": {"text": "Hello"}}
        return frame("event", "messageStart", {"role": "assistant"}) + frame("event", "contentBlockDelta", delta)

    @staticmethod
    def error(reported: Any) -> bytes:
        return frame("exception", "throttlingException", {"message": reported["error"]["message"]})


SENT_EVENTS: dict[str, Any] = {
    "openai_chat": Chat,
    "openai_responses": Responses,
    "anthropic": Messages,
    "gemini": Contents,
    "cohere": CohereChat,
}
BODIES: dict[str, Any] = {**SENT_EVENTS, "bedrock_converse": Converse}
