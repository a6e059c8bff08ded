"""The Anthropic wire of the loopback server, read by Anthropic's real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from ferroscope.testing import (
    Answer,
    Blocked,
    Citation,
    EncryptedReasoning,
    ProviderServer,
    Reasoning,
    ToolCall,
    ToolPlan,
    Usage,
)

CITATION = {
    "type": "web_search_result_location",
    "cited_text": "Oslo",
    "url": "https://a.example/",
    "title": "A",
    "encrypted_index": "c2lnbmF0dXJl",
}


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture
def client(server: ProviderServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.base_url("anthropic"), api_key="x", max_retries=0) as made:
        yield made


def both(client: anthropic.Anthropic) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    yield client.messages.create(**asked).model_dump(exclude_none=True)
    with client.messages.stream(**asked) as stream:
        yield stream.get_final_message().model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("answer", "content", "stop_reason"),
    [
        (
            Answer(
                Reasoning("Hm. Hm.", signature="AAAA"),
                ToolPlan("I look."),
                EncryptedReasoning("BBBB"),
                "It is Oslo.",
                Citation("Oslo", "https://a.example/", "A"),
                ToolCall("weather", {"city": "Oslo"}),
            ),
            [
                {"type": "thinking", "thinking": "Hm. Hm.", "signature": "AAAA"},
                {"type": "thinking", "thinking": "I look.", "signature": "c2lnbmF0dXJl"},
                {"type": "redacted_thinking", "data": "BBBB"},
                {"type": "text", "text": "It is Oslo.", "citations": [CITATION]},
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Oslo"}},
            ],
            "tool_use",
        ),
        (Answer(Blocked()), [], "refusal"),
        (Answer(Blocked("policy")), [], "policy"),
    ],
    ids=["every part", "blocked", "blocked for a reason"],
)
def test_streamed_and_whole_in_full(
    server: ProviderServer, client: anthropic.Anthropic, answer: Answer, content: Any, stop_reason: str
) -> None:
    server.reply(answer, answer)
    for message in both(client):
        assert (message["content"], message["stop_reason"]) == (content, stop_reason)


def test_usage_leaves_out_the_cache_as_anthropic_does(server: ProviderServer, client: anthropic.Anthropic) -> None:
    usage = Usage(100, 20, cached=40, cache_write=50)
    server.reply(*[Answer("Hi", usage=usage)] * 2)
    for message in both(client):
        counts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
        assert [message["usage"][name] for name in counts] == [10, 40, 50, 20]
