"""The tutorial, and the pages about the parts of a program, OpenAI and Anthropic: their examples run."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.testing import (
    Answer,
    Exchange,
    Json,
    ProviderServer,
    Reasoning,
    Response,
    Status,
    StreamError,
    Text,
    ToolCall,
    Usage,
)
from pytest_ferroscope._environment import server_environment

pytest.importorskip("openai", minversion="1.60")
pytest.importorskip("anthropic")

DOCS = Path(__file__).parents[3] / "docs"
NO_RETRY = {"x-should-retry": "false"}
NOVEL = Answer(Text("The Name of the Wind"))
FRIENDLY = {"reason": "It thanks the reader.", "score": 5}
RUDE = {"reason": "It is short.", "score": 2}
EMMA = {"title": "Emma", "author": "Jane Austen"}

# The first text that a request contains selects the answer.
Answers = list[tuple[str, Any]]
ANSWERS: dict[str, Answers] = {
    "calls": [("crime", Text("The Big Sleep")), ("capital", Text("Paris")), ("fantasy", NOVEL)],
    "response_models": [
        ("Read the book", Json({"title": "Dune", "author": "Frank Herbert"})),
        ("as JSON with the key", Json({"year": 1815})),
        ("Jane Austen", Answer(ToolCall("Book", EMMA, chunks=6))),
        ("List the genres", ToolCall("list", {"value": ["novel", "comedy"]})),
        ("Rate this", Json({"stars": 4})),
        ("A long story", ToolCall("Summary", {"summary": "A story."})),
        ("Describe", Text("A novel of 1815.\nBy Jane Austen.")),
        ("Nothing to see", ToolCall("Book", {"title": "Emma"})),
    ],
    "agents": [
        ("2 copies", Text("Yes, 2 copies.")),
        ("Do you have Emma", ToolCall("copies", {"title": "Emma"})),
        ("When is the library", ToolCall("library_opening_hours", {"day": "Monday"})),
        ("sunny in Lisbon", Text("It is sunny.")),
        ("Lisbon", ToolCall("weather", {"city": "Lisbon"})),
        ("Name an author", Text("Patrick Rothfuss")),
        ("Patrick Rothfuss", NOVEL),
    ],
    "errors": [
        ("popular", Status(429, headers=NO_RETRY)),
        ("a storm", StreamError(Text("Once upon a time", chunks=["Once upon a", " time"]), after=2)),
    ],
    "evals": [
        ("Thank you", ToolCall("Verdict", FRIENDLY)),
        ("What do you want", ToolCall("Verdict", RUDE)),
        ("gases", Text("Nitrogen and oxygen.")),
    ],
    "openai": [
        ("fantasy", NOVEL),
        ("Jane Austen", Json(EMMA)),
        ("Summarize", Text("A story.")),
        ("French", Text("livre")),
    ],
    "anthropic": [
        ("fantasy", NOVEL),
        ("12 times 12", Answer(Reasoning("Twelve dozen."), "144")),
        ("handsome", Answer("Emma Woodhouse.", usage=Usage(2020, 4, cached=2000))),
    ],
    "tutorial": [
        ("2 copies", Text("Yes, 2 copies.")),
        ("Do you have Emma", ToolCall("copies", {"title": "Emma"})),
        ("fantasy", NOVEL),
    ],
}


class Model:
    """A model whose answers depend on the request."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def respond(self, exchange: Exchange) -> Response:
        messages = str(exchange.request.json["messages"])
        found = next(answer for text, answer in self.answers if text in messages)
        script = found if hasattr(found, "respond") else Answer(found)
        response: Response = script.respond(exchange)
        return response


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    """Return a server that the default clients of all providers use."""
    with ProviderServer() as running:
        for name, value in server_environment(running).items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        yield running


def examples_of(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / f"{page}.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)


def run(page: str, server: ProviderServer, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Run the examples of a page in one namespace, and compare what each prints."""
    server.reply_always(Model(ANSWERS[page]))
    names: dict[str, Any] = {"__name__": "page"}
    for example in examples_of(page):
        exec(compile(example, f"{page}.md", "exec", dont_inherit=True), names)
        assert capsys.readouterr().out.splitlines() == re.findall(r"^# > (.*)$", example, re.MULTILINE)
    return names


@pytest.mark.parametrize("page", ["calls", "response_models", "agents", "errors", "openai", "anthropic"])
def test_the_examples_of_a_page_print_their_output(
    page: str, server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(page, server, capsys)


def test_the_examples_of_evaluations_print_their_output(
    server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("groq")
    test: Callable[[ProviderServer], None] = run("evals", server, capsys)["test_panel_is_the_mean"]
    test(server)


def body_of(app: Any, path: str, query: str) -> str:
    """Return the body of an ASGI application's response to a GET request."""
    parts: list[bytes] = []

    async def request() -> None:
        messages = asyncio.Queue[dict[str, Any]]()  # nothing follows the request: the client stays
        messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})

        async def send(message: dict[str, Any]) -> None:
            parts.append(message.get("body", b""))

        scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
        await app(scope, messages.get, send)

    asyncio.run(request())
    return b"".join(parts).decode()


def test_the_service_of_the_tutorial_streams_a_tool_and_its_cost(
    server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("starlette")
    names = run("tutorial", server, capsys)
    body = body_of(names["app"], "/chat", "question=Do+you+have+Emma")
    events = [json.loads(data) for data in re.findall(r"^data: (\{.*)$", body, re.MULTILINE)]
    assert [event["output"] for event in events if event["type"] == "tool-output-available"] == ["2 copies"]
    assert "".join(event["delta"] for event in events if event["type"] == "text-delta") == "Yes, 2 copies."
    assert names["spent"].calls == 2
    assert events[-1]["messageMetadata"]["costUsd"] == pytest.approx(float(names["spent"].total))
    names["test_the_librarian_offers_the_tool"](server)


def test_every_exception_is_on_the_page_below_its_base() -> None:
    rows = re.findall(r"^\| ((?:— )*)`(\w+)` \| (?:`(\w+)`)? ?\| .* \|$", (DOCS / "errors.md").read_text("utf-8"), re.M)
    path: list[type[BaseException]] = [errors.FerroscopeError]
    listed: list[str] = []
    for dashes, name, builtin in rows:
        kind: type[BaseException] = getattr(errors, name)
        path = [*path[: len(dashes) // 2 + 1], kind]
        assert kind.__bases__[0] is path[-2]
        assert not builtin or builtin in {base.__name__ for base in kind.__bases__[1:]}
        listed.append(name)
    assert sorted([*listed, "FerroscopeError"]) == sorted(errors.__all__)
