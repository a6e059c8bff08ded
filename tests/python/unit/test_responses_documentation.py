"""The examples of `docs/responses.md` run."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from ferroscope.testing import Answer, Citation, Exchange, ProviderServer, Reasoning, Response, Text, ToolCall

pytest.importorskip("openai", minversion="2.0")

GUIDE = Path(__file__).parents[3] / "docs/responses.md"


class Model:
    """Calls the tool that it is offered once, and then answers."""

    def respond(self, exchange: Exchange) -> Response:
        asked = exchange.request.json
        own = [tool for tool in asked.get("tools", ()) if tool["type"] == "function"]
        answered = any(item.get("type") == "function_call_output" for item in asked["input"])
        call = [ToolCall(own[0]["name"], {"city": "Oslo"})] if own and not answered else []
        text = Text("It is noon.")
        return Answer(Reasoning("Hm."), text, Citation("noon", "https://a.example/"), *call).respond(exchange)


def test_the_examples_run(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    with ProviderServer(default=Model()) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        with contextlib.redirect_stdout(io.StringIO()) as out:
            for block in blocks:
                exec(compile(block, str(GUIDE), "exec"), names)
        assert {request.path for request in server.requests} == {"/openai/v1/responses"}
        assert len(server.requests) == len(blocks) + 1
    printed = out.getvalue().splitlines()
    assert printed[:3] == ["It is noon.", "Hm.", "It is noon."]
    assert "['https://a.example/']" in printed
