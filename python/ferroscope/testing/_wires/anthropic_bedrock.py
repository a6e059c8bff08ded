"""Anthropic's messages on Bedrock: the same events inside AWS's binary event stream."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import Answer, Failure
from ferroscope.testing._wires.anthropic import Anthropic, events_of
from ferroscope.testing._wires.aws_event_stream import CONTENT_TYPE, error_frame, frame, raw_frame, split_frames
from ferroscope.testing._wires.wire import dumps

__all__ = ["AnthropicBedrock"]


class AnthropicBedrock(Anthropic):
    """`POST .../model/{model}/invoke` and `.../invoke-with-response-stream`."""

    mounts: Mapping[str, str] = MappingProxyType({"anthropic-bedrock": "/bedrock"})
    garbage: ClassVar[bytes] = raw_frame({":message-type": "event", ":event-type": "chunk"}, b'{"bytes": ')

    def accepts(self, method: str, path: str) -> bool:
        return method == "POST" and path.endswith(("/invoke", "/invoke-with-response-stream"))

    def stream_content_type(self, request: Request) -> str:
        return CONTENT_TYPE

    def wants_stream(self, request: Request) -> bool:
        return request.path.endswith("/invoke-with-response-stream")

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        for event in events_of(answer, request):
            if event["type"] == "message_stop":
                event["amazon-bedrock-invocationMetrics"] = {"invocationLatency": 604}
            yield frame("event", "chunk", {"bytes": base64.b64encode(dumps(event)).decode(), "p": "abcdef"})

    def render_stream_error(self, failure: Failure, request: Request, after: int) -> bytes:
        return error_frame(failure)

    def split(self, recording: bytes) -> Iterable[bytes]:
        return split_frames(recording)
