"""Cassettes: real responses, recorded once with their reads and times, and replayed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import openai
import pytest

from ferroscope.testing import Answer, Cassette, Cut, ProviderServer, RecordMode, Replay, Status, Text, ToolCall

KEY = "sk-a-secret-key-of-the-user"


@pytest.fixture
def upstream() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


def ask(server: ProviderServer, text: str = "Hi", **options: Any) -> Any:
    with openai.OpenAI(base_url=server.base_url("openai"), api_key=KEY, max_retries=0) as client:
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": text}], **options
        )
        if not options.get("stream"):
            return answer.choices[0].message.content
        return "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)


def recorded(path: Path, upstream: ProviderServer, mode: RecordMode = "once") -> ProviderServer:
    return ProviderServer(default=Cassette(path, mode=mode, upstream=upstream.base_url("openai")))


def test_a_stream_is_recorded_and_replayed_byte_for_byte(tmp_path: Path, upstream: ProviderServer) -> None:
    path = tmp_path / "cassettes" / "a.json"
    upstream.reply(Text("Grüße aus Oslo", chunks=["Gr", "üße", " aus Oslo"]))
    with recorded(path, upstream) as server:
        assert ask(server, stream=True) == "Grüße aus Oslo"
    with ProviderServer(default=Cassette(path)) as server:
        assert [ask(server, stream=True) for _ in range(2)] == ["Grüße aus Oslo"] * 2
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_response_that_breaks_off_is_not_recorded(
    tmp_path: Path, upstream: ProviderServer, how: Literal["reset", "close"]
) -> None:
    path = tmp_path / "a.json"
    upstream.reply(Cut(Answer("Oslo"), 40, how))
    with recorded(path, upstream) as server, pytest.raises(openai.InternalServerError, match="cannot be reached"):
        ask(server)
    assert not path.exists()


def test_the_reads_of_the_recording_are_the_chunks_of_the_replay(tmp_path: Path, upstream: ProviderServer) -> None:
    stream = b'data: {"choices":[{"index":0,"delta":{"content":"Oslo"}}]}\n\ndata: [DONE]\n\n'
    upstream.reply(Replay(stream, read_sizes=[5, 30], delay=0.05))
    path = tmp_path / "a.json"
    with recorded(path, upstream) as server:
        ask(server, stream=True)
    (interaction,) = json.loads(path.read_text())["interactions"]
    assert [size for _, size in interaction["reads"]] == [5, 30, len(stream) - 35]
    assert all(0.04 < wait < 2 for wait, _ in interaction["reads"])
    started = time.monotonic()
    with ProviderServer(default=Cassette(path, timing=True)) as server:
        assert ask(server, stream=True) == "Oslo"
    assert time.monotonic() - started > 0.12


def test_equal_requests_get_their_recordings_in_order(tmp_path: Path, upstream: ProviderServer) -> None:
    upstream.reply("one", "two", "other")
    path = tmp_path / "a.json"
    with recorded(path, upstream) as server:
        assert [ask(server), ask(server), ask(server, "Other")] == ["one", "two", "other"]
    with ProviderServer(default=Cassette(path)) as server:
        assert [ask(server, "Other"), ask(server), ask(server), ask(server)] == ["other", "one", "two", "two"]


def test_an_error_status_is_part_of_a_cassette(tmp_path: Path, upstream: ProviderServer) -> None:
    upstream.reply(Status(429, message="Slow down", retry_after=0.01))
    path = tmp_path / "a.json"
    with recorded(path, upstream) as server, pytest.raises(openai.RateLimitError):
        ask(server)
    with (
        ProviderServer(default=Cassette(path)) as server,
        pytest.raises(openai.RateLimitError, match="Slow down") as caught,
    ):
        ask(server)
    assert caught.value.response.headers["retry-after"] == "0.01"


def test_a_cassette_has_no_key(tmp_path: Path, upstream: ProviderServer) -> None:
    upstream.reply(Text(f"Your key is {KEY}"))
    path = tmp_path / "a.json"
    with recorded(path, upstream) as server:
        ask(server, f"My key is {KEY}")
    assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in path.read_text()
    with ProviderServer(default=Cassette(path)) as server:
        assert ask(server, f"My key is {KEY}") == "Your key is " + "*" * len(KEY)


def test_a_request_without_a_recording_is_an_error_with_the_file(tmp_path: Path, upstream: ProviderServer) -> None:
    upstream.reply("one")
    path = tmp_path / "a.json"
    with recorded(path, upstream) as server:
        ask(server)
    with (
        ProviderServer(default=Cassette(path)) as server,
        pytest.raises(openai.InternalServerError, match=r"a\.json has no recording of this request: record it with"),
    ):
        ask(server, "Something else")


def test_the_modes_record_what_they_name(tmp_path: Path, upstream: ProviderServer) -> None:
    path = tmp_path / "a.json"
    upstream.reply("one", "two", "three")
    with recorded(path, upstream) as server:
        assert ask(server, "1") == "one"
    with recorded(path, upstream, "new") as server:
        assert (ask(server, "1"), ask(server, "2")) == ("one", "two")
    with recorded(path, upstream, "all") as server:
        assert ask(server, "1") == "three"
    with ProviderServer(default=Cassette(path)) as server:
        assert ask(server, "1") == "three"
        with pytest.raises(openai.InternalServerError):
            ask(server, "2")
    with pytest.raises(ValueError, match="mode is 'always': write 'none', 'once', 'new' or 'all'"):
        Cassette(path, mode="always")  # type: ignore[arg-type]


def test_a_provider_that_cannot_be_reached_is_an_error(tmp_path: Path, upstream: ProviderServer) -> None:
    address = upstream.base_url("openai")
    upstream.stop()
    with (
        ProviderServer(default=Cassette(tmp_path / "a.json", mode="once", upstream=address)) as server,
        pytest.raises(openai.InternalServerError, match="the provider cannot be reached"),
    ):
        ask(server)


def test_a_cassette_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"version": 0, "interactions": []}))
    with pytest.raises(ValueError, match=r"a\.json is a cassette of version 0, not 1: record it again"):
        Cassette(path)


def test_binary_bodies_of_another_provider_are_recorded(tmp_path: Path, upstream: ProviderServer) -> None:
    import boto3

    keys: dict[str, Any] = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "s"}
    upstream.reply(Answer("Look:", ToolCall("weather", {"city": "Oslo"})))
    path = tmp_path / "a.json"

    def text(server: ProviderServer) -> str:
        client = boto3.client("bedrock-runtime", endpoint_url=server.base_url("bedrock"), **keys)
        try:
            asked: dict[str, Any] = {"modelId": "some.model-v1:0", "messages": []}
            events = list(client.converse_stream(**asked)["stream"])
        finally:
            client.close()
        return "".join(
            event["contentBlockDelta"]["delta"].get("text", "") for event in events if "contentBlockDelta" in event
        )

    tape = Cassette(path, mode="once", upstream={"bedrock": upstream.base_url("bedrock")})
    with ProviderServer(default=tape) as server:
        assert text(server) == "Look:"
    with ProviderServer(default=Cassette(path)) as server:
        assert text(server) == "Look:"
