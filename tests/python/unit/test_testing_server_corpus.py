"""Our own streams, replayed to the OpenAI SDK: its accumulator agrees with each twin, or we know why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from ferroscope.testing import ProviderServer, Replay

CORPUS = Path(__file__).parents[2] / "corpus" / "openai_chat"
NAMES = sorted(path.stem for path in CORPUS.glob("*.sse"))

# What openai 3.52 does otherwise; the twins say what is right.
SDK_DIFFERS = {
    "audio_pieces_padded_each": "joins base64 text across its padding",
    "azure_filters": "keeps the top of a response from its first chunk, and the last filter results only",
    "azure_frames_without_delta": "drops what stands beside a missing delta",
    "content_in_typed_parts": "knows content as a string only",
    "error_beside_the_choices": "raises, without what came before",
    "error_event": "raises, without what came before",
    "error_in_the_stream": "raises, without what came before",
    "escapes_surrogate_pair_split_over_deltas": "leaves two half characters",
    "framing_bom": "loses the first event",
    "framing_no_final_blank_line": "loses the last event",
    "framing_no_final_line_end": "loses the last event",
    "groq_usage_beside_the_choices": "looks for usage at the top only",
    "reasoning_details": "joins every string of a list element, `format` too",
    "text_with_role_in_every_delta": "joins roles",
    "tool_without_arguments_missing": "leaves out arguments that never came",
    "tool_without_arguments_null": "leaves out arguments that never came",
    "tools_continued_with_empty_ids_and_names": "fails on a type that is empty",
    "tools_id_in_every_delta": "joins ids and names",
    "tools_same_index_new_id": "joins calls of one index",
    "tools_same_index_new_id_in_fragments": "joins calls of one index",
    "tools_with_index_from_one": "takes the index for the position",
    "tools_with_index_minus_one": "joins calls of one index",
    "tools_without_index": "fails without an index",
    "tools_without_index_in_fragments": "fails without an index",
    "two_choices_with_tools": "leaves out a role that never came",
    "unknown_members_are_kept": "keeps the top of a response from its first chunk",
    "usage_then_nulls": "lets a null replace the usage",
}


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ProviderServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url("openai"), api_key="x", max_retries=0) as made:
        yield made


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(element) for element in value]
    return value


def accumulated(client: openai.OpenAI) -> Any:
    with client.chat.completions.stream(model="m", messages=[]) as stream:
        stream.until_done()
        found = without_nulls(stream.current_completion_snapshot.model_dump())
    found.pop("obfuscation", None)
    for choice in found["choices"]:
        choice["message"].pop("parsed", None)
        for call in choice["message"].get("tool_calls", ()):
            call.pop("index", None)
            call.get("function", {}).pop("parsed_arguments", None)
    return found


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(SDK_DIFFERS)))
def test_the_sdk_makes_the_twin_of_the_stream(server: ProviderServer, client: openai.OpenAI, name: str) -> None:
    server.reply(Replay(CORPUS / f"{name}.sse"))
    assert accumulated(client) == without_nulls(json.loads((CORPUS / f"{name}.json").read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_arrives_byte_for_byte_in_any_cut(server: ProviderServer, client: openai.OpenAI, name: str) -> None:
    recording = (CORPUS / f"{name}.sse").read_bytes()
    for read_sizes in (None, [1, 2, 3, 5, 8, 13, 21] * 3, [len(recording)]):
        server.reply(Replay(recording, read_sizes=read_sizes))
        stream = client.chat.completions.create(model="m", messages=[], stream=True)
        assert b"".join(stream.response.iter_bytes()) == recording


def test_every_stream_has_its_twin() -> None:
    assert sorted(path.stem for path in CORPUS.glob("*.json")) == NAMES
