"""Anthropic's messages as Bedrock frames them: the same events inside AWS's binary event stream.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ferroscope.testing._answers import Answer
from ferroscope.testing._exchange import Failure, Request
from ferroscope.testing._wires.anthropic import Anthropic, events_of

__all__ = ["AnthropicBedrock"]


class AnthropicBedrock(Anthropic):
    """`POST .../model/{model}/invoke` and `.../invoke-with-response-stream`."""

    mounts: Mapping[str, str] = MappingProxyType({"anthropic-bedrock": "/bedrock"})
    stream_content_type: str = "application/vnd.amazon.eventstream"

    def accepts(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith(("/invoke", "/invoke-with-response-stream"))

    def wants_stream(self, request: Request) -> bool:
        return request.path.endswith("/invoke-with-response-stream")

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        for event in events_of(answer, request):
            if event["type"] == "message_stop":
                event["amazon-bedrock-invocationMetrics"] = {"invocationLatency": 604}
            data = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
            yield frame("event", "chunk", {"bytes": base64.b64encode(data).decode(), "p": "abcdef"})

    def render_stream_error(self, failure: Failure) -> bytes:
        return frame("exception", failure.type or "modelStreamErrorException", {"message": failure.message})

    def split(self, recording: bytes) -> Iterable[bytes]:
        start = 0
        while start < len(recording):
            (length,) = struct.unpack_from(">I", recording, start)
            yield recording[start : start + length]
            start += length


def frame(message_type: str, name: str, payload: Mapping[str, Any]) -> bytes:
    """One message of the event stream."""
    headers = b"".join(
        struct.pack(f">B{len(key)}sBH{len(value)}s", len(key), key.encode(), 7, len(value), value.encode())
        for key, value in (
            (":message-type", message_type),
            (f":{message_type}-type", name),
            (":content-type", "application/json"),
        )
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", len(headers) + len(body) + 16, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))
