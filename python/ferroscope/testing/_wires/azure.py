"""OpenAI's chat completions as Azure serves them: at other paths, and with the results of its content filter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import Answer, Blocked, ContentFilter, Failure
from ferroscope.testing._wires.openai_chat import OpenAIChat

__all__ = ["AzureChat"]

# A deployment of Azure OpenAI's dated API, its API without versions, and the Model Inference API, which has retired.
_PATH = re.compile(
    r"(?:/azure)?/(?:openai/deployments/[^/]+|models)/chat/completions|/azure(?:/openai/v1)?/chat/completions"
)
_DATA, _DONE = b"data: ", b"data: [DONE]"
# What stands in a frame of the filter's own, where others name the response.
_NAMELESS = {"created": 0, "id": "", "model": "", "object": ""}


class AzureChat(OpenAIChat):
    """`POST .../chat/completions` of Azure OpenAI, of its v1 API, and of the Model Inference API."""

    def __init__(self) -> None:
        super().__init__()
        self.mounts = MappingProxyType({"azure": "/azure", "azure-inference": "/azure/models"})

    def accepts(self, method: str, path: str) -> bool:
        return method == "POST" and _PATH.fullmatch(path) is not None

    def blocked_error(self, blocked: Blocked) -> Failure | None:
        results = {"hate": {"filtered": True, "severity": "high"}}
        inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results}
        return Failure(blocked.message, 400, None, blocked.reason or "content_filter", "prompt", {"innererror": inner})

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        said = answer.content_filter
        if said.prompt is not None:
            yield _frame({"choices": [], **_NAMELESS, "prompt_filter_results": _of_prompt(said)})
        for event in super().render_stream(answer, request):
            if event.startswith(_DONE):
                if said.asynchronous and said.answer is not None:
                    yield _late(said, len(answer.text))
                yield event
                continue
            frame = json.loads(event[len(_DATA) :])
            if said.asynchronous and said.answer is not None and _finishes(frame):
                yield _late(said, 0)
            for choice in frame["choices"]:
                if not said.asynchronous and said.answer is not None:
                    choice["content_filter_results"] = said.answer if choice["delta"].get("content") else {}
            yield _frame(frame)

    def render_body(self, answer: Answer, request: Request) -> dict[str, Any]:
        body = super().render_body(answer, request)
        said = answer.content_filter
        if said.prompt is not None:
            body["prompt_filter_results"] = _of_prompt(said)
        if said.answer is not None:
            for choice in body["choices"]:
                choice["content_filter_results"] = said.answer
        return body


def _of_prompt(said: ContentFilter) -> list[dict[str, Any]]:
    return [{"prompt_index": 0, "content_filter_results": said.prompt}]


def _late(said: ContentFilter, start: int) -> bytes:
    """A frame of the asynchronous filter: results for a stretch of the text that has long been sent."""
    choice = {
        "content_filter_offsets": {"check_offset": start, "start_offset": start, "end_offset": start},
        "content_filter_results": said.answer,
        "finish_reason": None,
        "index": 0,
    }
    return _frame({"choices": [choice], **_NAMELESS})


def _finishes(frame: Mapping[str, Any]) -> bool:
    return any(choice.get("finish_reason") for choice in frame["choices"])


def _frame(value: Mapping[str, Any]) -> bytes:
    return _DATA + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
