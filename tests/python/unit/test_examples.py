"""The programs in `examples/` run against a provider server."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import openai
import pytest

from ferroscope.testing import Answer, ProviderServer, Request, Status, Text, ToolCall, Usage
from pytest_ferroscope._environment import server_environment

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        for name, value in server_environment(server).items():
            monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name, raising=False)
        yield server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    def run(name: str, *arguments: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capfd.readouterr().out

    return run


def last_message(request: Request) -> dict[str, Any]:
    return request.json["messages"][-1]


def test_an_agent_uses_the_files_and_the_mcp_server(server: ProviderServer, run: Any, tmp_path: Path) -> None:
    pytest.importorskip("mcp.server.mcpserver")
    (tmp_path / "wishes.txt").write_text("Emma")

    def answer(request: Request) -> Answer | ToolCall:
        last = last_message(request)
        if last["role"] == "user":
            return ToolCall("file_system_ReadFile", {"path": "wishes.txt"})
        if last["content"] == "Emma":
            (copies,) = (tool["function"]["name"] for tool in request.json["tools"] if "copies" in str(tool))
            return ToolCall(copies, {"title": "Emma"})
        return Answer(f"There are {last['content']}.")

    server.reply_always(answer)
    assert run("agent.py", str(tmp_path), "Which books are there?") == 'There are ["3 copies of Emma"].\n'


def test_a_second_run_extracts_new_files_only(server: ProviderServer, run: Any, tmp_path: Path) -> None:
    def answer(request: Request) -> Answer:
        number = re.findall(r"No (\d+)", last_message(request)["content"])[0]
        return Answer(ToolCall("Invoice", {"number": number, "total": "9.50", "currency": "EUR"}), usage=Usage(100, 10))

    server.reply_always(answer)
    folder = tmp_path / "invoices"
    folder.mkdir()
    (folder / "1.txt").write_text("No 17, total 9.50 EUR")
    (folder / "2.txt").write_text("No 18, total 9.50 EUR")
    first = run("extract_files.py", "invoices", "invoices.jsonl")
    assert first.splitlines()[0] == "1.txt number='17' total=Decimal('9.50') currency='EUR'"
    (folder / "3.txt").write_text("No 19, total 9.50 EUR")
    run("extract_files.py", "invoices", "invoices.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "invoices.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert len(server.requests) == 3


def test_a_recipe_appears_in_the_terminal(server: ProviderServer, run: Any) -> None:
    pytest.importorskip("rich")
    recipe = {"title": "Pancakes", "ingredients": [{"name": "flour", "amount": "200 g"}], "steps": ["Mix.", "Fry."]}
    server.reply(Answer(ToolCall("Recipe", recipe), usage=Usage(1000, 100)))
    output = run("live_form.py", "pancakes")
    assert all(text in output for text in ("Pancakes", "200 g", "flour", "2. Fry.", "0.00021 USD"))


def test_another_provider_answers_after_an_error(server: ProviderServer, run: Any) -> None:
    def answer(request: Request) -> Status | Answer:
        if "anthropic" in request.path:
            return Answer("Because of the air.", usage=Usage(1000, 100))
        return Status(400, message="The model is not available")

    server.reply_always(answer)
    output = run("fallbacks.py", "Why is the sky blue?")
    assert output == "Because of the air.\nanthropic, 0.0015 USD\n"


def test_a_local_model_streams(server: ProviderServer, run: Any) -> None:
    server.reply(Answer("Oak, elm, ash.", usage=Usage(7, 6)))
    assert run("local_model.py", "Name three trees.") == "Oak, elm, ash.\n6 tokens\n"


def test_an_image_is_described(server: ProviderServer, run: Any, tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 16
    (tmp_path / "photo.png").write_bytes(png)
    server.reply(Answer("A cat.", usage=Usage(1000, 100)))
    output = run("describe_image.py", "photo.png", "What is it?")
    assert output == "A cat.\n1000 + 100 tokens, 0.00021 USD\n"
    image, question = last_message(server.requests[0])["content"]
    assert (image["type"], question["text"]) == ("image_url", "What is it?")


def test_the_migrated_program_runs(server: ProviderServer, run: Any) -> None:
    server.reply(
        ToolCall("Book", {"title": "EMMA", "author": "Jane Austen"}),
        ToolCall("Book", {"title": "Emma", "author": "Jane Austen"}),
        ToolCall("Stock", {"title": "Emma"}),
    )
    assert run("migrated.py", "classic") == "Emma by Jane Austen\n3 copies of Emma\n"
    assert "must not be in capitals" in str(server.requests[1].json["messages"])


def test_the_tests_of_a_program_pass() -> None:
    path = os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])
    is_installed = "ferroscope" in entry_points(group="pytest11").names
    plugins = [] if is_installed else ["-p", "pytest_ferroscope"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:logfire", *plugins]
    done = subprocess.run(
        [*command, "--rootdir", str(EXAMPLES), str(EXAMPLES / "test_recommend.py")],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert "5 passed" in done.stdout, done.stdout


def test_the_chat_service_answers_an_openai_client(server: ProviderServer) -> None:
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")

    def answer(request: Request) -> Text | ToolCall:
        last = last_message(request)
        if last["role"] == "user":
            return ToolCall("clock", {"timezone": "Europe/Oslo"})
        return Text(f"It is {last['content']}.")

    server.reply_always(answer)
    command = [sys.executable, "-m", "ferroscope", "serve", "chat_service:assistant", "--port", "0"]
    path = os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        command, cwd=EXAMPLES, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as service:
        try:
            assert service.stdout is not None
            address = service.stdout.readline().rpartition(" ")[2].strip()
            with openai.OpenAI(base_url=f"{address}/v1", api_key="any") as client:
                answered = client.chat.completions.create(
                    model="assistant", messages=[{"role": "user", "content": "What time is it in Oslo?"}]
                )
        finally:
            service.terminate()
    assert re.fullmatch(r"It is \d\d:\d\d\.", answered.choices[0].message.content or "")


def test_every_program_is_in_the_table() -> None:
    table = (EXAMPLES / "README.md").read_text()
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(re.findall(r"\(([\w]+\.py)\)", table))
