"""Recorded streams: cut anywhere they decode alike, into what the official SDK's accumulator makes of them.

Where the two differ, the difference has to be in the table below, with a proof from what the provider sent.
"""

import json
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai._models import construct_type
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from ferroscope._core import DecodeError, StreamDecoder

from .test_decoder import ROOT, Decoded, decode, in_sizes, payloads

CORPUS = ROOT.parent / "shared/corpus"

# Any: parsed JSON of whatever shape.
Json = Any


def recordings(*, stream: bool) -> list[Path]:
    """The folders of the exchanges in OpenAI's format, none where the recordings are absent."""
    found = []
    for path in sorted(CORPUS.glob("*/*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["api"] == "openai-chat" and meta["stream"] is stream:
            found.append(path.parent)
    return found


def body_of(folder: Path) -> tuple[bytes, dict[str, Json]]:
    meta = json.loads((folder / "meta.json").read_bytes())
    body = (folder / meta["response_file"]).read_bytes()
    if meta["framing"] == "unframed-jsonl":
        body = b"".join(b"data: " + line + b"\n\n" for line in body.splitlines() if line.strip())
    return body, meta


def name_of(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


STREAMS = recordings(stream=True)
BODIES = recordings(stream=False)
recorded_streams = pytest.mark.parametrize("folder", STREAMS, ids=name_of)

# Streams that end in an error, and its kind.
ERRORS = {
    "azure-openai/013-testdata-chat-completion-with-data-streaming-response": "unfinished",
    "gpustack/002-chat-with-extended-thinking-gpustack-qwen3-streams-thinking-cont": "provider",
    "groq/019-meta-llama-llama-4-scout-17b-16e-instruct-object-streaming": "provider",
    "groq/035-meta-llama-llama-4-scout-17b-16e-instruct-object-streaming": "provider",
    "openai/074-testdata-chat-completion-invalid-streaming-response": "protocol",
    "openrouter/072-meta-llama-llama-3-3-70b-instruct-free-object-streaming": "provider",
    "openrouter/113-google-gemini-2-5-flash-lite-object-streaming": "provider",
}

# Streams on which the accumulator fails: with what, and what it cannot stand.
ACCUMULATOR_FAILS = {
    "azure-openai/007-testdata-chat-completion-streaming-async-filter-response": (AttributeError, "no delta"),
    "azure-openai/008-testdata-chat-completion-streaming-multiple-function-calls-async": (
        AttributeError,
        "no delta",
    ),
    "azure-openai/013-testdata-chat-completion-with-data-streaming-response": (AttributeError, "no delta"),
    "mistral/029-instrumentor-synchronous-streaming-chat-completions-with-tool-ca": (
        TypeError,
        "a call without index",
    ),
    "mistral/037-testdata-chat-completions-streaming-function-call-response": (
        TypeError,
        "a call without index",
    ),
    "mistral/047-mistral-mistral-reasoning": (RuntimeError, "content in typed parts"),
    "mistral/049-mistral-mistral-tool-call": (TypeError, "a call without index"),
    "openai-compatible/001-chat-anthropic-fallback-tool-call": (IndexError, "calls counted from one"),
    "openrouter/137-qwen-qwen3-next-80b-a3b-thinking-reasoning-streaming": (
        AttributeError,
        "a number for logprobs",
    ),
    "openrouter/143-z-ai-glm-4-6-object-streaming": (AssertionError, "a type of an empty string"),
}


@recorded_streams
def test_the_reads_make_no_difference(folder: Path):
    body, meta = body_of(folder)
    whole = decode([body])
    assert ERRORS.get(name_of(folder)) == (whole.error[0] if whole.error else None)

    few = max(1, len(body) // 100_000)
    assert decode(body[at : at + few] for at in range(0, len(body), few)) == whole
    if meta["network_chunk_sizes"]:
        assert decode(in_sizes(body, meta["network_chunk_sizes"])) == whole
    chance = random.Random(len(body))
    for longest in (4, 40, 400, 4000):
        sizes = [chance.randint(0, longest) for _ in range(2 * len(body) // longest)]
        assert decode(in_sizes(body, sizes)) == whole


@recorded_streams
def test_events_without_their_framing_decode_alike(folder: Path):
    body, _ = body_of(folder)
    whole = decode([body])
    decoder, seen = StreamDecoder(), []
    for _, data, *_ in whole.events:
        if data:
            event = decoder.feed_event(data.decode())
            seen.append((event.content, event.data, event.tool_calls, event.fragments))
    if whole.error is None:
        decoder.finish()
        seen += [(event.content, event.data, event.tool_calls, event.fragments) for event in decoder]
        assert decoder.response() == whole.response
    assert seen == whole.events


@recorded_streams
def test_unknown_members_are_kept_as_the_last_event_had_them(folder: Path):
    body, _ = body_of(folder)
    whole = decode([body])
    if whole.error:
        pytest.skip("ends in an error")
    response = json.loads(whole.response)
    members: dict[str, Json] = {}
    choices: dict[int, dict[str, Json]] = {}
    known = {"id", "object", "created", "model", "choices", "usage", "obfuscation", "p"}
    of_choices = {"index", "delta", "message", "finish_reason", "logprobs"}
    for payload in payloads(whole):
        take_latest(members, {name: value for name, value in payload.items() if name not in known})
        for place, choice in enumerate(payload.get("choices") or []):
            latest = choices.setdefault(choice.get("index", place), {})
            take_latest(latest, {name: value for name, value in choice.items() if name not in of_choices})
    assert {name: response[name] for name in members} == members
    assert {
        choice["index"]: {name: choice[name] for name in choices[choice["index"]]} for choice in response["choices"]
    } == (choices)


def take_latest(known: dict[str, Json], members: dict[str, Json]) -> None:
    for name, value in members.items():
        if isinstance(value, dict) and isinstance(known.get(name), dict):
            take_latest(known[name], value)
        elif value is not None or name not in known:
            known[name] = json.loads(json.dumps(value))


def accumulate(chunks: list[dict[str, Json]]) -> dict[str, Json]:
    """What the SDK makes of the same payloads."""
    state = ChatCompletionStreamState()  # type: ignore[var-annotated]  # no response format
    with warnings.catch_warnings():
        # It accumulates by serialising its own models, which do not hold what servers send.
        warnings.simplefilter("ignore")
        for chunk in chunks:
            state.handle_chunk(construct_type(type_=ChatCompletionChunk, value=chunk))  # type: ignore[arg-type]
        return state.current_completion_snapshot.model_dump(exclude_unset=True, by_alias=True)


def without_nulls(value: Json) -> Json:
    """Without null members, and without what only the SDK adds to them."""
    if isinstance(value, dict):
        added = {"parsed", "parsed_arguments", "obfuscation", "p"}
        return {name: without_nulls(each) for name, each in value.items() if each is not None and name not in added}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def differences(ours: Json, theirs: Json, path: str = "") -> Iterator[tuple[str, Json, Json]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            yield from differences(ours.get(name), theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for mine, other in zip(ours, theirs, strict=True):
            yield from differences(mine, other, f"{path}[]")
    elif ours != theirs:
        yield path, ours, theirs


def deltas(chunks: list[dict[str, Json]]) -> Iterator[dict[str, Json]]:
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            yield choice.get("delta") or {}


def comes_again(theirs: str, chunks: list[dict[str, Json]], member: str) -> bool:
    """Whether the SDK's value is what all deltas have there, joined or added up."""
    values = [value for delta in deltas(chunks) if (value := delta.get(member)) is not None]
    return len(values) > 1 and (theirs == "".join(values) if isinstance(theirs, str) else theirs == sum(values))


def of_details(member: str) -> Callable[[Json, Json, list[dict[str, Json]]], bool]:
    def explained(ours: Json, theirs: Json, chunks: list[dict[str, Json]]) -> bool:
        values = [
            detail[member]
            for delta in deltas(chunks)
            for detail in delta.get("reasoning_details") or []
            if detail.get(member) is not None
        ]
        return ours == values[-1] and isinstance(theirs, str) and len(values) > 1 and theirs in "".join(values)

    return explained


def first_says_nothing(member: str) -> Callable[[Json, Json, list[dict[str, Json]]], bool]:
    def explained(ours: Json, theirs: Json, chunks: list[dict[str, Json]]) -> bool:
        given = [chunk[member] for chunk in chunks if chunk.get(member)]
        return not theirs and ours == (given[0] if given else {"created": 0}.get(member, ""))

    return explained


def only_later(ours: Json, theirs: Json, chunks: list[dict[str, Json]]) -> bool:
    """The SDK takes members that it does not know from the first chunk alone: here they came later."""
    return theirs is None and ours is not None


def the_first(ours: Json, theirs: Json, chunks: list[dict[str, Json]]) -> bool:
    texts = [choice["text"] for chunk in chunks for choice in chunk.get("choices") or [] if "text" in choice]
    return ours == texts[-1] and theirs == texts[0]


# path -> whether the difference is right, from ours, theirs and the payloads
EXPLAINED: dict[str, Callable[[Json, Json, list[dict[str, Json]]], bool]] = {
    # The role is no text that grows: "assistantassistant". Some servers never say it.
    ".choices[].message.role": lambda ours, theirs, chunks: (
        ours == "assistant"
        and (comes_again(theirs, chunks, "role") if theirs else not any(delta.get("role") for delta in deltas(chunks)))
    ),
    ".choices[].message.channel": lambda ours, theirs, chunks: comes_again(theirs, chunks, "channel"),
    # Numbers of tokens are no sums either.
    ".choices[].message.token_id": lambda ours, theirs, chunks: comes_again(theirs, chunks, "token_id"),
    # Azure's first chunk says nothing of these; some servers never do.
    ".id": first_says_nothing("id"),
    ".model": first_says_nothing("model"),
    ".created": first_says_nothing("created"),
    # The position of a call is for putting it together.
    ".choices[].message.tool_calls[].index": lambda ours, theirs, chunks: ours is None,
    # What the server never says is what it is without streaming.
    ".choices[].message.tool_calls[].type": lambda ours, theirs, chunks: (ours, theirs) == ("function", None),
    # A last chunk without usage takes the SDK's away; Groq's stands in a member of its own.
    ".usage": lambda ours, theirs, chunks: (
        theirs is None and ours in [chunk["x_groq"].get("usage") for chunk in chunks if chunk.get("x_groq")]
    ),
    # Mistral's typed parts: the SDK keeps the strings alone, and their last part.
    ".choices[].message.content": lambda ours, theirs, chunks: any(
        isinstance(delta.get("content"), list) for delta in deltas(chunks)
    ),
    # Several calls of one index: the SDK makes one of them.
    ".choices[].message.tool_calls": lambda ours, theirs, chunks: (
        len({call["id"] for call in ours}) == len(ours) > len(theirs)
    ),
    # OpenRouter's details: two of one index and different types stay two, and format is no text.
    ".choices[].message.reasoning_details": lambda ours, theirs, chunks: (
        len({each["type"] for each in ours}) == len(ours) > len(theirs)
    ),
    ".choices[].message.reasoning_details[].format": of_details("format"),
    # The last text counts, not the first.
    ".choices[].text": the_first,
}

# Members of these come with later chunks, which the SDK does not look at.
LATER = (".choices[].content_filter_results.", ".choices[].logprobs.", ".x_groq.")


@recorded_streams
def test_the_sdk_accumulates_the_same_but_for_what_is_explained(folder: Path):
    name = name_of(folder)
    body, _ = body_of(folder)
    whole: Decoded = decode([body])
    if whole.error:
        pytest.skip("ends in an error, which the SDK raises too or does not see")
    chunks = payloads(whole)
    if name in ACCUMULATOR_FAILS:
        with pytest.raises(ACCUMULATOR_FAILS[name][0]):
            accumulate(chunks)
        return
    unexplained = []
    ours, theirs = without_nulls(json.loads(whole.response)), without_nulls(accumulate(chunks))
    for path, mine, other in differences(ours, theirs):
        unknown = path.count(".") <= 1 or (path.startswith(".choices[].") and path.count(".") == 2)
        explain = EXPLAINED.get(path) or (only_later if unknown or path.startswith(LATER) else None)
        if explain is None or not explain(mine, other, chunks):
            unexplained.append((path, mine, other))
    assert unexplained == []


def bodies_differ_rightly(path: str, ours: Json, theirs: Json) -> bool:
    """What a plain body may have otherwise, without a loss."""
    if theirs is None:  # a member that every body has
        return ours in {".object": ["chat.completion"], ".choices[].index": [0], ".created": [0]}.get(
            path, ["", {"role": "assistant"}]
        )
    if path == ".choices[].message.tool_calls":
        return ours is None and theirs == []
    # Perplexity repeats the message in a delta, empty.
    return path == ".choices[].delta" and ours is None and theirs == {"role": "assistant", "content": ""}


@pytest.mark.parametrize("folder", BODIES, ids=name_of)
def test_a_plain_body_is_its_own_response(folder: Path):
    body, meta = body_of(folder)
    decoder = StreamDecoder()
    if not {"choices", "error"} & json.loads(body).keys():
        assert meta["http_status"] >= 400, "errors have a status of their own, and never come here"
        return
    read = json.loads(body)
    on_choice = (choice["error"] for choice in read.get("choices") or () if choice.get("error"))
    if error := read.get("error") or next(on_choice, None):
        with pytest.raises(DecodeError) as caught:
            decoder.feed_body(body.decode())
        assert (caught.value.args[0], json.loads(caught.value.args[4])) == ("provider", error)
        return
    event = decoder.feed_body(body.decode())
    assert event.content == decoder.content
    found = differences(without_nulls(json.loads(decoder.response())), without_nulls(json.loads(body)))
    assert [difference for difference in found if not bodies_differ_rightly(*difference)] == []
