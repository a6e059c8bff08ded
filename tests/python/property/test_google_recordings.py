"""Recorded Gemini streams, replayed over HTTP to Google's SDK: our response is the SDK's own, event by event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.testing import ProviderServer, Replay

pytest.importorskip("google.genai")
google = pytest.importorskip("ferroscope.core.google")

ROOT = Path(__file__).parents[3]
OWN = sorted((ROOT / "tests/corpus/gemini").glob("*.sse"))
RECORDED = ROOT.parent / "shared/corpus"


def recordings() -> list[Path]:
    """The project's own streams, and those of the collection, if it is beside the checkout."""
    index = RECORDED / "INDEX.json"
    entries = json.loads(index.read_text())["entries"] if index.exists() else []
    found = [
        RECORDED / entry["id"] / entry["response_file"]
        for entry in entries
        if entry["api"] == "gemini-stream" and entry["stream"] and entry["http_status"] == 200
    ]
    return [*OWN, *(path for path in found if path.suffix == ".sse")]


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("ignore:.* is not a valid :UserWarning")
def test_a_recorded_stream_is_read_like_the_sdk_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from google import genai

    compared = 0
    with ProviderServer() as server:
        monkeypatch.setenv("GOOGLE_API_KEY", "k")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.base_url("google"))
        client = genai.Client(api_key="k", http_options={"base_url": server.base_url("google")})
        for path in recordings():
            seen: list[Any] = []
            for options in ({}, {"client": client}):
                server.reply(Replay(path))
                try:
                    stream = google.call("gemini-2.5-flash", stream=True, **options)(lambda: "Hi")()
                    texts = [chunk.content for chunk, _ in stream]
                except errors.StreamError:
                    break
                except (AttributeError, ValueError, errors.APIError):
                    # The SDK reads `data:` only with its space, no numbers for words, and no loose base64.
                    assert options, path
                    break
                seen.append((texts, stream.content, stream.thinking, stream.finish_reasons, stream.usage))
            if len(seen) == 2:
                assert seen[0] == seen[1], path
                compared += 1
        client.close()
    assert compared > len(OWN) / 2
