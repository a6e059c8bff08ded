"""The page about many rows: its examples run, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ferroscope import llm
from ferroscope.batch import MapOptions
from ferroscope.testing import Answer, ProviderServer

PAGE = (Path(__file__).parents[4] / "docs" / "batch.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(
    number: int,
    server: ProviderServer,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.jsonl").write_text('{"text": "book"}\n{"text": "tree"}\n')
    server.reply_always(Answer("The Name of the Wind"))
    example = EXAMPLES[number]

    @llm.call("openai", "gpt-4o-mini")
    def translate(text: str) -> str:
        return f"Translate into French: {text}"

    exec(compile(example, "batch.md", "exec"), {"__name__": "page", "llm": llm, "translate": translate})
    expected = "".join(f"{line}\n" for line in re.findall(r"^# > (.*)$", example, re.MULTILINE))
    assert capsys.readouterr().out == expected


def test_every_option_is_on_the_page() -> None:
    assert MapOptions.__annotations__.keys() <= set(re.findall(r"`(\w+)`", PAGE))
