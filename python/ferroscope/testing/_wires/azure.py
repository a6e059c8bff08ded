"""The two Azure wires: Azure OpenAI, and the retired inference endpoint. Both are chat completions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ferroscope.testing._answers import Answer
from ferroscope.testing._exchange import Request
from ferroscope.testing._wires.openai_chat import OpenAIChat

__all__ = ["Azure"]

_SAFE = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
_FIRST = (
    b'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,'
    b'"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}\n\n'
)


class Azure(OpenAIChat):
    """`POST /azure/.../chat/completions`: under `/openai/` with the results of content filters."""

    mounts: Mapping[str, str] = MappingProxyType({"azure": "/azure"})

    def accepts(self, method: str, path: str) -> bool:
        return path.startswith("/azure/") and super().accepts(method, path)

    def render_stream(self, answer: Answer, request: Request) -> Iterator[bytes]:
        if "/openai/" in request.path:
            yield _FIRST
        yield from super().render_stream(answer, request)

    def render_body(self, answer: Answer, request: Request) -> dict[str, Any]:
        body = super().render_body(answer, request)
        if "/openai/" in request.path:
            body["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": _SAFE}]
            for choice in body["choices"]:
                choice["content_filter_results"] = _SAFE
        return body
