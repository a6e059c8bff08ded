"""Gemini's streams fold into what `generateContent` would have sent, however they are cut and framed.

The oracle below is the slow and obvious way: it parses each event with `json`, and adds it to dictionaries by the
rules of the dialect's documentation. It shares no code with the decoder.
"""

import itertools
import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferroscope._core import DecodeError, StreamDecoder

from .recordings import as_tuple

ROOT = Path(__file__).parents[3]
OWN = ROOT / "tests" / "corpus" / "gemini"
RECORDED = ROOT.parent / "shared" / "corpus"

# Any: parsed JSON of whatever shape.
Json = Any

# Recordings that end in an error: its kind, and a part of its message.
ERRORS = {
    "google-vertex/015-vertexai-streaming-failure-error-mid-stream": ("provider", "The operation was cancelled."),
    # Its one event has neither parts nor a finish reason nor usage.
    "google-vertex/017-vertexai-streaming-failure-malformed-content": ("unfinished", "the body ended"),
}

# Members whose lists add up. One that begins with the list so far replaces it.
EXTENDED = {"citationMetadata", "groundingMetadata", "urlContextMetadata"}


def recorded(apis: set[str], *, stream: bool) -> Iterator[Any]:
    index = RECORDED / "INDEX.json"
    if not index.exists():
        return
    for entry in json.loads(index.read_text())["entries"]:
        if entry["api"] in apis and entry["stream"] is stream and entry["http_status"] == 200:
            yield pytest.param(RECORDED / entry["id"] / entry["response_file"], id=entry["id"])


STREAMS = list(recorded({"gemini-stream", "gemini-stream-json"}, stream=True))
BODIES = list(recorded({"gemini-generate"}, stream=False))
OURS = [pytest.param(path, id=path.stem) for path in sorted(OWN.glob("*.sse"))]


def framing_of(path: Path) -> Any:
    return "json_lines" if path.suffix in {".json", ".jsonl"} else "sse"


def name_of(path: Path) -> str:
    return path.stem if path.parent == OWN else f"{path.parent.parent.name}/{path.parent.name}"


def events_of(path: Path) -> list[dict[str, Json]]:
    """The data of every event, read the slow and obvious way."""
    text = path.read_bytes().decode()
    if path.suffix == ".json":
        return list(json.loads(text))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    data = [json.loads(line[5:]) for line in text.replace("\r\n", "\n").split("\n") if line.startswith("data:")]
    return [event for each in data for event in (each if isinstance(each, list) else [each])]


class Seen:
    """What a reader of a stream saw, and what the decoder has in the end."""

    def __init__(self, framing: Any = "sse") -> None:
        self.decoder = StreamDecoder("gemini", framing=framing)
        self.text = ""
        self.fragments: dict[int, str] = {}
        self.completed: list[tuple[int, str | None, str, str]] = []
        self.error: tuple[str, str] | None = None

    def read(self, pieces: Iterable[bytes]) -> "Seen":
        for piece in pieces:
            self.decoder.feed(piece)
            self._drain()
        return self._finish()

    def read_events(self, events: list[dict[str, Json]]) -> "Seen":
        for event in events:
            self._take(self.decoder.feed_event(json.dumps(event)))
        return self._finish()

    def _finish(self) -> "Seen":
        self.decoder.finish()
        self._drain()
        return self

    def _drain(self) -> None:
        try:
            for event in self.decoder:
                self._take(event)
        except DecodeError as error:
            self.error = self.error or error.args[:2]

    def _take(self, event: Any) -> None:
        self.text += event.content
        for call in event.fragments or ():
            self.fragments[call.position] = self.fragments.get(call.position, "") + call.arguments
        self.completed += map(as_tuple, event.tool_calls or ())

    def response(self) -> Json:
        return json.loads(self.decoder.response())

    def outcome(self) -> tuple[object, ...]:
        decoder = self.decoder
        values = (self.text, self.fragments, self.completed, decoder.usage, self.error, decoder.reasoning)
        return (*values, decoder.finish_reasons, [*map(as_tuple, decoder.tool_calls)], decoder.response())


# ---- the oracle


def fold(events: list[dict[str, Json]]) -> dict[str, Json]:
    response: dict[str, Json] = {}
    for event in events:
        for name, value in event.items():
            if name == "candidates" and value is not None:
                known = response.setdefault("candidates", {})
                for place, candidate in enumerate(value):
                    taken = any("index" not in before or before["index"] == 0 for before in value[:place])
                    index = candidate.get("index", place if taken else 0)
                    add_candidate(known.setdefault(index, {}), candidate)
            elif name == "usageMetadata":
                response[name] = value or response.get(name)
            elif name in ("responseId", "modelVersion"):
                response[name] = response.get(name) or value
            elif name != "error":
                merge(response, name, value)
    for candidate in response.get("candidates", {}).values():
        for part in candidate.get("content", {}).get("parts", []):
            end_part(part, candidate.get("finishReason"))
    if "candidates" in response:
        response["candidates"] = [candidate for _, candidate in sorted(response["candidates"].items())]
    return without_nulls(response)


def merge(known: dict[str, Json], name: str, value: Json, *, extends: bool = False) -> None:
    if value is None:
        return
    if isinstance(value, dict) and isinstance(known.get(name), dict):
        for inner, member in value.items():
            merge(known[name], inner, member, extends=extends)
    elif extends and isinstance(value, list) and isinstance(known.get(name), list):
        before = known[name]
        known[name] = value if value[: len(before)] == before else before + value
    else:
        known[name] = json.loads(json.dumps(value))


def add_candidate(known: dict[str, Json], candidate: dict[str, Json]) -> None:
    for name, value in candidate.items():
        if name == "content":
            for inner, member in (value or {}).items():
                if inner == "parts":
                    parts = known.setdefault("content", {}).setdefault("parts", [])
                    for part in member or ():
                        add_part(parts, part)
                else:
                    merge(known.setdefault("content", {}), inner, member)
            if value is not None:
                known.setdefault("content", {})
        elif name == "logprobsResult":
            lists = known.setdefault(name, {})
            for inner, member in value.items():
                lists[inner] = lists.get(inner, []) + member if isinstance(member, list) else member
        else:
            merge(known, name, value, extends=name in EXTENDED)


def is_plain(part: dict[str, Json]) -> bool:
    """Whether a part has text and nothing else."""
    others = {name for name, value in part.items() if value is not None} - {"text", "thought"}
    return isinstance(part.get("text"), str) and not others


def add_part(parts: list[dict[str, Json]], part: dict[str, Json]) -> None:
    last = parts[-1] if parts else {}
    if part.get("functionCall") is not None:
        add_call(parts, part)
        return
    for known in parts:
        if "_open" in known and known["_open"] == "waiting":
            known["_open"] = False
    if is_plain(part) and not part["text"] and parts:
        return
    if is_plain(part) and is_plain(last) and bool(last.get("thought")) == bool(part.get("thought")):
        last["text"] += part["text"]
        return
    append(parts, dict(part))


def append(parts: list[dict[str, Json]], part: dict[str, Json]) -> None:
    if len(parts) == 1 and is_plain(parts[0]) and not parts[0]["text"]:
        parts.clear()
    parts.append(part)


def add_call(parts: list[dict[str, Json]], part: dict[str, Json]) -> None:
    call = part["functionCall"]
    calls = [known for known in parts if "functionCall" in known]
    same = [known for known in calls if call.get("id") and known["functionCall"].get("id") == call["id"]]
    known = next((each for each in reversed(same) if each["_open"]), None)
    if known is None and same and not call.get("partialArgs"):
        whole = same[-1]["functionCall"]
        if call.get("name", whole["name"]) == whole["name"] and (call.get("args") or whole["args"]) == whole["args"]:
            known = same[-1]
    if known is None and not call.get("name"):
        known = next((each for each in reversed(calls) if each["_open"]), None)
    if known is None:
        if not call.get("name"):
            return
        for each in calls:
            each["_open"] = each["_open"] if each["_open"] != "waiting" else False
        known = {"functionCall": {}, "_open": True, "_paths": set()}
        append(parts, known)
    known.update({name: value for name, value in part.items() if name != "functionCall" and value})
    whole = known["functionCall"]
    whole.update({name: value for name, value in call.items() if name not in ("args", "partialArgs", "willContinue")})
    if not known["_open"]:
        return
    if "args" in call or "partialArgs" in call or call.get("willContinue"):
        whole.setdefault("args", {}).update(call.get("args") or {})
    for partial in call.get("partialArgs", ()):
        set_path(whole["args"], partial, known["_paths"])
    bare = not whole.get("args") and not call.get("willContinue") and not known.get("_streamed")
    known["_streamed"] = known.get("_streamed") or bool(call.get("willContinue") or call.get("partialArgs"))
    known["_open"] = True if call.get("willContinue") else "waiting" if bare and known["_open"] is True else False


def steps_of(path: str) -> list[str | int]:
    steps: list[str | int] = []
    for name, index, single, double in re.findall(
        r"\.([^.\[]+)|\[(\d+)\]|\['((?:\\.|[^'\\])*)'\]|\[\"((?:\\.|[^\"\\])*)\"\]", path
    ):
        quoted = single or double
        steps.append(int(index) if index else name or json.loads('"' + quoted.replace("\\'", "'") + '"'))
    return steps


def set_path(arguments: dict[str, Json], partial: dict[str, Json], going_on: set[str]) -> None:
    path = partial["jsonPath"]
    at: Json = arguments
    steps = steps_of(path)
    last = steps[-1]
    for step, following in itertools.pairwise(steps):
        fill(at, step)
        if at[step] is None if isinstance(at, list) else step not in at:
            at[step] = [] if isinstance(following, int) else {}
        at = at[step]
    fill(at, last)
    value = next((value for name, value in partial.items() if name.endswith("Value") and name != "nullValue"), None)
    if isinstance(value, str) and path in going_on:
        value = at[last] + value
    at[last] = value
    (going_on.add if partial.get("willContinue") else going_on.discard)(path)


def fill(at: Json, step: str | int) -> None:
    if isinstance(at, list):
        assert isinstance(step, int)
        at.extend([None] * (step + 1 - len(at)))


def end_part(part: dict[str, Json], finish_reason: Json) -> None:
    if "_open" in part:
        is_open = part.pop("_open") is True
        paths = part.pop("_paths")
        part.pop("_streamed", None)
        if is_open and not (finish_reason == "STOP" and not paths):
            part["functionCall"]["willContinue"] = True


def without_nulls(value: Json) -> Json:
    match value:
        case dict():
            return {name: without_nulls(member) for name, member in value.items() if member is not None}
        case list():
            return [without_nulls(element) for element in value]
        case str():
            # Half a character that came alone.
            return re.sub(
                "[\ud800-\udfff]", "\ufffd", value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            )
        case _:
            return value


# ---- the tests


@pytest.mark.parametrize("path", [*OURS, *STREAMS])
def test_a_stream_folds_into_what_the_slow_way_makes_of_it(path: Path) -> None:
    events = events_of(path)
    seen = Seen(framing_of(path)).read([path.read_bytes()])
    if path.parent != OWN:
        kind, message = ERRORS.get(name_of(path), (None, ""))
        assert (seen.error or (None,))[0] == kind
        assert message in (seen.error or ("", ""))[1]
    response = fold(events)
    assert without_nulls(seen.response()) == response
    usages = [event["usageMetadata"] for event in events if event.get("usageMetadata")]
    assert (seen.decoder.usage and json.loads(seen.decoder.usage)) == (usages[-1] if usages else None)

    first = next((each for each in response.get("candidates", []) if not each.get("index")), {})
    parts = first.get("content", {}).get("parts", [])
    texts = [(part["text"], bool(part.get("thought"))) for part in parts if "text" in part]
    assert seen.decoder.content == seen.text == "".join(text for text, is_thought in texts if not is_thought)
    assert seen.decoder.reasoning == "".join(text for text, is_thought in texts if is_thought)
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    if path.parent != OWN:  # of ours, the Rust tests have the calls one by one
        assert [(id, name, json.loads(arguments)) for _, id, name, arguments in seen.completed] == [
            (call.get("id"), call["name"], call.get("args") or {}) for call in calls
        ]
        assert seen.fragments == {call[0]: call[3] for call in seen.completed}


@pytest.mark.parametrize("path", [*OURS, *STREAMS])
def test_the_cuts_make_no_difference(path: Path) -> None:
    body, framing = path.read_bytes(), framing_of(path)
    whole = Seen(framing).read([body]).outcome()
    few = max(1, len(body) // 20_000)
    for size in (few, 5, 1369):
        assert Seen(framing).read(body[at : at + size] for at in range(0, len(body), size)).outcome() == whole
    chance = random.Random(len(body))
    for longest in (4, 400, 4000):
        assert Seen(framing).read(in_random_pieces(body, chance, longest)).outcome() == whole
    sizes = path.with_name("meta.json")
    if sizes.exists() and (sizes := json.loads(sizes.read_bytes())["network_chunk_sizes"]):
        assert Seen(framing).read(in_pieces(body, sizes)).outcome() == whole


def in_random_pieces(body: bytes, chance: random.Random, longest: int) -> Iterator[bytes]:
    return in_pieces(body, [chance.randint(0, longest) for _ in range(2 * len(body) // longest)])


def in_pieces(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    start = 0
    for size in sizes:
        yield body[start : start + size]
        start += size
    yield body[start:]


@pytest.mark.parametrize("path", [*OURS, *STREAMS])
def test_the_framing_makes_no_difference(path: Path) -> None:
    events = events_of(path)
    whole = Seen(framing_of(path)).read([path.read_bytes()])
    if whole.error and whole.error[0] == "provider":
        pytest.skip("its error is no event")
    outcome = outcome_of_values(whole)
    assert outcome_of_values(Seen().read_events(events)) == outcome
    array = json.dumps(events, indent=1).encode()
    assert outcome_of_values(Seen("json_lines").read([array])) == outcome
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    assert outcome_of_values(Seen("json_lines").read([lines])) == outcome
    text = b"".join(b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)
    assert outcome_of_values(Seen().read([text])) == outcome


def outcome_of_values(seen: Seen) -> tuple[object, ...]:
    """The outcome without the spaces between values."""
    completed = [(*call[:3], json.loads(call[3])) for call in seen.completed]
    usage = seen.decoder.usage and json.loads(seen.decoder.usage)
    kind = seen.error and seen.error[0]
    return (seen.text, completed, usage, kind, seen.decoder.reasoning, seen.response())


@pytest.mark.parametrize("path", BODIES)
def test_a_plain_body_is_its_own_response(path: Path) -> None:
    body = path.read_text()
    decoder = StreamDecoder("gemini")
    event = decoder.feed_body(body)
    assert json.loads(decoder.response()) == json.loads(body)
    assert event.content == decoder.content


# ---- any stream

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
texts = st.fixed_dictionaries({"text": words}, optional={"thought": st.just(True)})
calls = st.fixed_dictionaries(
    {"name": st.sampled_from(["foo", "bar"]), "args": st.dictionaries(words, values, max_size=3)},
    optional={"id": st.uuids().map(str)},
)
signature = st.sampled_from(["c2lnMQ==", "c2lnMg=="])
parts = st.one_of(
    texts,
    st.tuples(texts, signature).map(lambda pair: {**pair[0], "thoughtSignature": pair[1]}),
    st.fixed_dictionaries({"functionCall": calls}, optional={"thoughtSignature": signature}),
    st.fixed_dictionaries({"inlineData": st.fixed_dictionaries({"mimeType": st.just("image/png"), "data": signature})}),
)
counts = st.fixed_dictionaries(
    {"promptTokenCount": st.integers(0, 10**9)},
    optional={"candidatesTokenCount": st.integers(0, 10**6), "promptTokensDetails": st.just([{"modality": "TEXT"}])},
)
candidates = st.fixed_dictionaries(
    {"content": st.fixed_dictionaries({"parts": st.lists(parts, max_size=3)}, optional={"role": st.just("model")})},
    optional={"index": st.integers(0, 2), "finishReason": st.just("STOP")},
)
streams = st.lists(
    st.fixed_dictionaries(
        {"candidates": st.lists(candidates, max_size=2)},
        optional={"usageMetadata": counts, "modelVersion": st.just("gemini-9"), "mood": values},
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=200)
@given(events=streams, ascii=st.booleans(), size=st.integers(1, 300), array=st.booleans())
def test_any_stream_folds_into_what_the_slow_way_makes_of_it(
    events: list[dict[str, Json]], ascii: bool, size: int, array: bool
) -> None:
    events = [*events, {"candidates": [{"finishReason": "STOP"}]}]
    if array:
        body = json.dumps(events, ensure_ascii=ascii, indent=2).encode()
    else:
        data = [json.dumps(event, ensure_ascii=ascii) for event in events]
        body = "".join(f"data: {each}\r\n\r\n" for each in data).encode()
    seen = Seen("json_lines" if array else "sse").read(body[at : at + size] for at in range(0, len(body), size))
    assert seen.error is None
    assert without_nulls(seen.response()) == fold(events)
