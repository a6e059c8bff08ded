"""Every stream of our own, cut anywhere, folds into its non-streamed twin."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ferroscope import _core

CORPUS = Path(__file__).parents[2] / "corpus" / "openai_chat"
NAMES = sorted(path.stem for path in CORPUS.glob("*.sse"))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(element) for element in value]
    return value


def decode(name: str, reads: Iterable[bytes]) -> dict[str, Any]:
    """What the decoder makes of the reads, an error of the provider included, as the twins have it."""
    decoder = _core.StreamDecoder(usage_in="x_groq" if name.startswith("groq_") else None)
    error: dict[str, Any] = {}
    try:
        for read in reads:
            decoder.feed(read)
            for _ in decoder:
                pass
        decoder.finish()
        for _ in decoder:
            pass
    except _core.DecodeError:
        error["error"] = True
    folded: dict[str, Any] = without_nulls(json.loads(decoder.response()))
    return folded | error


def twin(name: str) -> dict[str, Any]:
    body: dict[str, Any] = without_nulls(json.loads((CORPUS / f"{name}.json").read_text()))
    return body | {"error": True} if "error" in body else body


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_folds_into_its_twin_however_it_is_cut(name: str) -> None:
    body = (CORPUS / f"{name}.sse").read_bytes()
    chance = random.Random(name)
    cuts = [sorted(chance.sample(range(len(body)), 40)) for _ in range(10)]
    ways = [[body], [body[at : at + 1] for at in range(len(body))]]
    ways += ([body[a:b] for a, b in zip([0, *cut], [*cut, len(body)], strict=True)] for cut in cuts)
    expected = twin(name)
    for reads in ways:
        assert decode(name, reads) == expected
