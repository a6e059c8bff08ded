"""`ferroscope serve` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ferroscope.testing import Answer, ProviderServer, Stall, Text

from .browser import Browser, events_of

PROGRAM = '''
from ferroscope import BaseMessageParam
from ferroscope.core import anthropic, openai


def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sun in {city}"


@openai.call("gpt-4o-mini")
def assistant(question: str) -> str:
    return f"Answer: {question}"


@openai.call("gpt-4o-mini", stream=True, tools=[weather])
async def helper(messages: list[BaseMessageParam]) -> list[BaseMessageParam]:
    return messages


@anthropic.call("claude-haiku-4-5", call_params={"max_tokens": 100})
async def claude(messages: list[BaseMessageParam]) -> list[BaseMessageParam]:
    return messages


async def agent(question: str):
    yield await helper([BaseMessageParam(role="user", content=question)])


@openai.call("gpt-4o-mini", response_model=int)
def number(question: str) -> str:
    return question


@openai.call("gpt-4o-mini")
def untyped(question) -> str:
    return question


@openai.call("gpt-4o-mini")
def two(question: str, other: str) -> str:
    return question


@openai.call("gpt-4o-mini", tools=[weather])
def blind(question: str) -> str:
    return question


def plain(question: str) -> str:
    return question
'''


def environment(folder: Path, provider: ProviderServer | None, **variables: str) -> dict[str, str]:
    (folder / "app.py").write_text(textwrap.dedent(PROGRAM))
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "OPENAI_API_KEY": "sk-secret-key", "ANTHROPIC_API_KEY": "sk-secret"}
    if provider is not None:
        own |= {
            "OPENAI_BASE_URL": provider.base_url("openai"),
            "ANTHROPIC_BASE_URL": provider.base_url("anthropic"),
        }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FERROSCOPE_SERVE")}
    return {**kept, **own, **variables}


@contextmanager
def served(
    folder: Path, provider: ProviderServer | None, target: str, *arguments: str, **variables: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a target, and yield its address and its process."""
    arguments = ("serve", target, "--port", "0", *arguments)
    with running(arguments, folder, environment(folder, provider, **variables)) as found:
        yield found


@contextmanager
def running(
    arguments: Sequence[str], folder: Path, variables: dict[str, str]
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a command that serves, and yield its address and its process."""
    for module in ("starlette", "uvicorn", "httptools"):
        pytest.importorskip(module)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ferroscope", *arguments],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = []
        while not (line := process.stdout.readline()).startswith("Serving "):
            lines.append(line)
            assert line, "".join(lines) + (process.stderr.read() if process.stderr else "")
        yield line.split(" at ")[1].strip(), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(0.5)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        process.communicate()


def follow_and_stop(provider: ProviderServer, first: str, second: str) -> tuple[str, int]:
    """Start a stream of the page, leave it, follow it at another address and stop it there.

    Return its id and the number of its last event.
    """
    provider.reply(Stall(Answer(Text("one two three ", 3)), after=2))
    body = json.dumps({"messages": [{"role": "user", "content": "Hi?"}]}).encode()
    start = Browser(first + "/chat", method="POST", body=body)
    start.read_until(b"text-delta")
    id = start.headers["x-stream-id"]
    start.leave()
    back = Browser(f"{second}/chat/{id}", headers={"last-event-id": "2"})
    back.read_until(b"text-delta")
    stop = Browser(f"{second}/chat/{id}/stop", method="POST", body=b"{}")
    assert stop.status == 204
    provider.wait_closed()
    back.read_all()
    events = events_of(back.body)
    assert events[0][0] == 3
    assert [event for _, event in events][-2:] == [{"type": "abort"}, "[DONE]"]
    for browser in (back, stop):
        browser.leave()
    return id, events[-1][0]
