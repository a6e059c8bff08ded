"""Runs the examples of the README against the provider server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferroscope.testing import Answer, ProviderServer, Request, Text, ToolCall, Usage

README = Path(__file__).parents[3] / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def answer(request: Request) -> Answer:
    messages = (request.json or {})["messages"]
    if messages[-1]["role"] == "tool":
        return Answer(Text(f"It is {messages[-1]['content']}."))
    prompt = messages[0]["content"]
    if "weather" in prompt:
        return Answer(ToolCall("weather", {"city": "Lisbon"}))
    if "Extract" in prompt:
        return Answer(ToolCall("Book", {"title": "Emma", "author": "Jane Austen"}), usage=Usage(1000, 100))
    return Answer(Text("Emma"))


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with ProviderServer(default=answer) as server:
        yield server


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs(
    example: str, server: ProviderServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    if "recommend" in example:
        assert capsys.readouterr().out == "Emma"
    elif "Book" in example:
        *_, whole, total = capsys.readouterr().out.splitlines()
        assert (whole, total) == ("title='Emma' author='Jane Austen'", "0.00021 USD")
    elif "weather" in example:
        assert capsys.readouterr().out == "It is sunny, 24 degrees.\n"


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) < 150
