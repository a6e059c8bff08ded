"""Streams leave no memory behind."""

from __future__ import annotations

import gc
import sys

import pytest

from ferroscope.core import openai
from ferroscope.testing import Answer, SpawnedServer, Text


@pytest.mark.parametrize("direct", ["0", "1"], ids=["the SDK", "directly"])
def test_sync_streams_leave_no_objects_behind(direct: str, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = 300
    monkeypatch.setenv("FERROSCOPE_DIRECT", direct)

    @openai.call("gpt-4o-mini", stream=True)
    def hello() -> str:
        return "Say hello"

    def run() -> int:
        for _ in range(streams):
            assert "".join(chunk.content for chunk, _ in hello()) == "hello there"
        gc.collect()
        return sys.getallocatedblocks()

    # In another process, because the server records its requests.
    with SpawnedServer(default=Answer(Text("hello there", 2))) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        run()
        before = run()
        assert run() - before < streams / 2
