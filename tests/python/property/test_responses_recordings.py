"""Streams of the Responses API through a call: replayed by the test server, read by the real SDK's client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai as sdk
import pytest

from ferroscope import errors
from ferroscope.core import openai
from ferroscope.testing import ProviderServer, Replay

from .test_responses_decoder import OWN, RECORDED, body_of, events_of, recorded

pytest.importorskip("openai", minversion="2.0")

STREAMS = [*recorded(stream=True), *(pytest.param(path, id=path.stem) for path in sorted(OWN.glob("*.sse")))]
BODIES = [*recorded(stream=False), *(pytest.param(path, id=path.stem) for path in sorted(OWN.glob("*.json")))]


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ProviderServer) -> Iterator[sdk.OpenAI]:
    with sdk.OpenAI(base_url=server.base_url("openai"), api_key="k", max_retries=0) as made:
        yield made


def plain(value: Any) -> Any:
    """JSON without what only the SDK adds: null members, and its own parsed copies."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items() if member is not None}
    return [plain(element) for element in value] if isinstance(value, list) else value


def dumped(model: Any) -> Any:
    return plain(model.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False))


def call(client: sdk.OpenAI, *, stream: bool) -> Any:
    made: Any = openai.call("gpt-5.5", api="responses", stream=stream, client=client)  # type: ignore[call-overload]
    return made(lambda: "Hi")()


@pytest.mark.parametrize("path", STREAMS)
def test_a_streamed_call_has_the_response_of_the_last_event(
    server: ProviderServer, client: sdk.OpenAI, path: Path, request: pytest.FixtureRequest
) -> None:
    body = body_of(path)
    events = events_of(body)
    # The bytes in small reads, and their events as the SDK makes them.
    server.reply(Replay(body, read_sizes=[731] * (len(body) // 731)), Replay(body))
    stream = call(client, stream=True)
    chunks, reported = [], None
    try:
        chunks += (chunk for chunk, _ in stream)
    except errors.ProviderStreamError as error:
        reported = error
    assert (reported is not None) is any(event["type"] in ("error", "response.failed") for event in events)
    assert reported is None or reported.partial is not None
    response = stream.construct_call_response()
    last = events[-1].get("response")
    if path.parent != OWN and last and last["status"] != "failed" and last["output"]:
        assert dumped(response.response)["output"] == plain(last["output"])
        assert plain(last).items() <= dumped(response.response).items()
    assert response.content == response.response.output_text
    assert [item.type for item in response.hosted_tool_calls] == [
        kind
        for item in response.response.output
        if (kind := item.type) not in ("message", "reasoning", "function_call", "custom_tool_call", "compaction")
    ]
    made = []
    try:
        made += client.responses.create(model="m", input="Hi", stream=True)
    except (sdk.APIError, ValueError):
        pass
    for ours, theirs in zip(chunks, made, strict=False):
        assert dumped(ours.chunk) == dumped(theirs)


@pytest.mark.parametrize("path", BODIES)
def test_a_plain_call_has_the_response_as_it_was_sent(server: ProviderServer, client: sdk.OpenAI, path: Path) -> None:
    body = json.loads(path.read_bytes())
    server.reply(Replay(b"", body=path))
    try:
        response = call(client, stream=False)
    except errors.APIError:
        assert body["error"]
        return
    assert not body.get("error")
    assert dumped(response.response) == plain(body)
    message = response.common_message_param
    assert openai.OpenAIResponsesCallResponse.model_validate(response.model_dump()).content == response.content
    assert message.role == "assistant"


def test_there_are_recordings() -> None:
    if not RECORDED.exists():
        pytest.skip("the recordings are not here")
    assert len(STREAMS) > 190
