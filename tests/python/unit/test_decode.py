"""The command `decode` and the logger `ferroscope.stream`: each event, and where every tool fragment went."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest

from ferroscope import llm
from ferroscope.__main__ import main
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall, Usage

CORPUS = Path(__file__).parents[2] / "corpus/openai_chat"

INTERLEAVED = r"""event 1: no change
event 2: tool call 0 (id 'call_a', name 'add') begins
event 3: tool call 1 (id 'call_b', name 'add') begins
event 4: tool call 1 (id 'call_b', name 'add') gets arguments '{"a"'
event 5: tool call 0 (id 'call_a', name 'add') gets arguments '{"a": '
event 6: tool call 0 (id 'call_a', name 'add') gets arguments '1'
event 7: tool call 1 (id 'call_b', name 'add') gets arguments ': 2}'; tool call 1 (id 'call_b', name 'add') is complete
event 8: tool call 0 (id 'call_a', name 'add') gets arguments '}'; tool call 0 (id 'call_a', name 'add') is complete
event 9: finish reasons 'tool_calls'

model: gpt-5-mini
events: 10
text: 0 characters
finish reasons: tool_calls
usage: not reported
tool call 0 (id 'call_a', name 'add'): arguments '{"a": 1}'
tool call 1 (id 'call_b', name 'add'): arguments '{"a": 2}'
"""


def test_decode_shows_where_each_fragment_of_interleaved_calls_went(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(CORPUS / "tools_interleaved.sse"), "--dialect", "openai_chat"]) == 0
    assert capsys.readouterr().out == INTERLEAVED


def test_decode_reads_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    body = (CORPUS / "tools_interleaved.sse").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
    assert main(["decode", "-", "--dialect", "openai_chat", "--framing", "sse"]) == 0
    assert capsys.readouterr().out == INTERLEAVED


def test_decode_shows_the_data_of_events(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    body = tmp_path / "body.sse"
    data = '{"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}'
    body.write_text(f"data: {data}\n\ndata: [DONE]\n\n")
    assert main(["decode", str(body), "--dialect", "openai_chat", "--raw"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == ["event 1: text 'Hi'; finish reasons 'stop'", f"    {data}"]


def test_decode_reads_usage_from_another_field(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(CORPUS / "groq_usage_beside_the_choices.sse")
    main(["decode", file, "--dialect", "openai_chat"])
    assert "\nusage: not reported\n" in capsys.readouterr().out
    main(["decode", file, "--dialect", "openai_chat", "--usage-in", "x_groq"])
    assert "\nusage: input " in capsys.readouterr().out


def test_decode_shows_what_came_before_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    body = tmp_path / "body.sse"
    body.write_text('data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\ndata: {broken\n\n')
    assert main(["decode", str(body), "--dialect", "openai_chat"]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("event 1: text 'Hi'\n\nmodel: not reported\n")
    assert shown.err.startswith("error (protocol): ")


def test_decode_of_a_file_that_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.sse")
    assert main(["decode", missing, "--dialect", "openai_chat"]) == 1
    assert capsys.readouterr().err == f"cannot read {missing!r}: No such file or directory\n"


def weather(city: str) -> str:
    """Return the weather."""
    return f"sunny in {city}"


def stream_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make one streamed call with text and a tool call, and return its texts."""

    @llm.call("openai/gpt-4o-mini", stream=True, tools=[weather])
    def ask() -> str:
        return "What is the weather?"

    with ProviderServer(
        Answer(Text("Let me see."), ToolCall("weather", {"city": "Lisbon"}), usage=Usage(9, 7))
    ) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        return [chunk.content for chunk, _ in ask()]


@pytest.mark.parametrize("with_content", [False, True])
def test_the_logger_shows_events_and_content_only_if_asked(
    with_content: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FERROSCOPE_LOG_CONTENT", "1" if with_content else "")
    caplog.set_level(logging.DEBUG, "ferroscope.stream")
    texts = stream_once(monkeypatch)
    lines = [record.getMessage() for record in caplog.records if record.name == "ferroscope.stream"]
    assert "".join(texts) == "Let me see."
    assert all(line.startswith("provider 'openai', model 'gpt-4o-mini': e") for line in lines)
    shown = "\n".join(lines)
    assert "name 'weather') begins" in shown
    assert "name 'weather') is complete" in shown
    assert "finish reasons 'tool_calls'" in shown
    assert "usage input 9, prompt 9, cached 0, output 7, reasoning 0, total 16" in shown
    assert ("bon" in shown, "see" in shown) == (with_content, with_content)
    assert (" characters" in shown) is not with_content


def test_a_stream_checks_the_logger_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    from ferroscope._engine.event_trace import logger

    checks: list[int] = []
    monkeypatch.setattr(logger, "isEnabledFor", lambda level: checks.append(level) or False)  # type: ignore[func-returns-value]
    assert len(stream_once(monkeypatch)) > 1
    assert checks == [logging.DEBUG]
    assert caplog.records == []
