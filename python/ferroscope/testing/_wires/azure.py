"""OpenAI's chat completions as served by Azure: at other paths, and with the results of its content filter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ferroscope.testing._http import Request
from ferroscope.testing._vocabulary import Answer, Blocked, ContentFilter, Failure
from ferroscope.testing._wires.openai_chat import OpenAIChat
from ferroscope.testing._wires.wire import dumps

__all__ = ["AzureChat"]

# A deployment of Azure OpenAI's dated API, its API without versions, and the retired Model Inference API.
_PATH = re.compile(
    r"(?:/azure)?/(?:openai/deployments/[^/]+|models)/chat/completions|/azure(?:/openai/v1)?/chat/completions"
)
_DATA, _DONE = b"data: ", b"data: [DONE]"
# The members that name the response, in chunks of the filter.
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
        results = answer.content_filter
        if results.prompt is not None:
            yield _event({"choices": [], **_NAMELESS, "prompt_filter_results": _of_prompt(results)})
        for event in super().render_stream(answer, request):
            if event.startswith(_DONE):
                if results.asynchronous and results.answer is not None:
                    yield _late(results, len(answer.text))
                yield event
                continue
            chunk = json.loads(event[len(_DATA) :])
            if results.asynchronous and results.answer is not None and _finishes(chunk):
                yield _late(results, 0)
            for choice in chunk["choices"]:
                if not results.asynchronous and results.answer is not None:
                    choice["content_filter_results"] = results.answer if choice["delta"].get("content") else {}
            yield _event(chunk)

    def render_body(self, answer: Answer, request: Request) -> dict[str, Any]:
        body = super().render_body(answer, request)
        results = answer.content_filter
        if results.prompt is not None:
            body["prompt_filter_results"] = _of_prompt(results)
        if results.answer is not None:
            for choice in body["choices"]:
                choice["content_filter_results"] = results.answer
        return body


def _of_prompt(results: ContentFilter) -> list[dict[str, Any]]:
    return [{"prompt_index": 0, "content_filter_results": results.prompt}]


def _late(results: ContentFilter, start: int) -> bytes:
    """Return a chunk of the asynchronous filter: results for text that has already been sent."""
    choice = {
        "content_filter_offsets": {"check_offset": start, "start_offset": start, "end_offset": start},
        "content_filter_results": results.answer,
        "finish_reason": None,
        "index": 0,
    }
    return _event({"choices": [choice], **_NAMELESS})


def _finishes(chunk: Mapping[str, Any]) -> bool:
    return any(choice.get("finish_reason") for choice in chunk["choices"])


def _event(value: Mapping[str, Any]) -> bytes:
    return _DATA + dumps(value) + b"\n\n"
