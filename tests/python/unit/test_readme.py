"""Runs the examples of the README against the provider server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ferroscope.testing import Answer, ProviderServer, Request, Text, ToolCall

README = Path(__file__).parents[3] / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def answer(request: Request) -> Answer:
    messages = (request.json or {})["messages"]
    if messages[-1]["role"] == "tool":
        return Answer(Text(f"It is {messages[-1]['content']}."))
    return Answer(ToolCall("weather", {"city": "Lisbon"}) if "weather" in messages[0]["content"] else Text("Emma"))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs(
    example: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProviderServer(default=answer) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    if "recommend" in example:
        assert capsys.readouterr().out == "Emma"
    elif "weather" in example:
        assert capsys.readouterr().out == "It is sunny, 24 degrees.\n"


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) < 150
