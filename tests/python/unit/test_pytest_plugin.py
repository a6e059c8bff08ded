"""The pytest plugin, in test runs of their own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ferroscope.testing import ProviderServer, Text
from pytest_ferroscope._network import BlockedConnectionError, blocked

pytestmark = pytest.mark.slow
SOURCES = Path(__file__).parents[3] / "python"
CALL = """
from ferroscope import llm


@llm.call("openai/gpt-4o-mini")
def ask(question: str) -> str:
    return question
"""


def run(folder: Path, test: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(CALL + test)
    path = os.pathsep.join([str(SOURCES), os.environ.get("PYTHONPATH", "")])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:logfire",
        "--rootdir",
        str(folder),
    ]
    installed = subprocess.run(
        [sys.executable, "-c", "from importlib.metadata import entry_points as e; print(e(group='pytest11').names)"],
        capture_output=True,
        text=True,
        check=True,
    )
    if "'ferroscope'" not in installed.stdout:
        command += ["-p", "pytest_ferroscope"]
    return subprocess.run(
        [*command, *options, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )


def test_default_clients_call_the_provider_server(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
from ferroscope.core import anthropic
from ferroscope.testing import Answer, Usage


def test_calls(provider_server, assert_costs):
    provider_server.reply(Answer("Emma", usage=Usage(1000, 100)))
    with assert_costs("0.00021"):
        assert ask("A book?").content == "Emma"
    provider_server.reply("Oslo")
    assert anthropic.call("claude-haiku-4-5")(lambda: "A city?")().content == "Oslo"
""",
    )
    assert "1 passed" in done.stdout, done.stdout


def test_costs_above_the_limit_fail_the_test(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
import pytest
from ferroscope.testing import Answer, Usage


def test_costs(provider_server, assert_costs):
    provider_server.reply_always(Answer("Emma", usage=Usage(1000, 100)))
    with pytest.raises(AssertionError, match="the calls cost 0.00042 USD, over 0.0003"):
        with assert_costs(at_most="0.0003"):
            ask("1"), ask("2")
    with pytest.raises(AssertionError, match="the cost of 1 of the calls is unknown"):
        with assert_costs(at_most=1):
            from ferroscope import llm
            llm.call("openai/no-such-model")(lambda: "x")()
""",
    )
    assert "1 passed" in done.stdout, done.stdout


def test_a_cassette_is_recorded_and_then_needs_no_provider(tmp_path: Path) -> None:
    test = """
def test_asks(cassette):
    assert ask("A book?").content == "Emma"
"""
    missing = run(tmp_path, test)
    assert "there is no cassette" in missing.stdout
    assert "record it with pytest --ferroscope-record=once" in missing.stdout
    with ProviderServer(Text("Emma")) as real:
        address = {"OPENAI_BASE_URL": real.base_url("openai"), "OPENAI_API_KEY": "sk-real-key-0123456789"}
        done = run(tmp_path, test, "--ferroscope-record=once", **address)
        assert "1 passed" in done.stdout, done.stdout
        assert real.requests[0].headers["authorization"] == "Bearer sk-real-key-0123456789"
    file = tmp_path / "cassettes" / "test_it" / "test_asks.json"
    assert "sk-real-key" not in file.read_text()
    done = run(tmp_path, test, OPENAI_API_KEY="")
    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("options", [["-o", "ferroscope_block_network=true"], []], ids=["setting", "fixture"])
def test_the_network_block_refuses_other_machines_and_allows_this_one(tmp_path: Path, options: list[str]) -> None:
    fixtures = "provider_server" if options else "provider_server, block_network"
    done = run(
        tmp_path,
        f"""
import asyncio
import socket

import pytest
from openai import APIConnectionError, AsyncOpenAI


def test_blocks({fixtures}):
    provider_server.reply("Emma")
    assert ask("A book?").content == "Emma"
    with pytest.raises(ConnectionError, match="the test connects to 'example.com'"):
        socket.create_connection(("example.com", 443), timeout=1)
    with pytest.raises(ConnectionError, match="the test connects to '192.0.2.1'"):
        socket.create_connection(("192.0.2.1", 443), timeout=1)
    from ferroscope import llm

    async def elsewhere():
        async with AsyncOpenAI(base_url="https://example.com/v1", api_key="k", max_retries=0) as client:
            @llm.call("openai/gpt-4o-mini", client=client)
            async def ask_it() -> str:
                return "Hi"
            await ask_it()

    with pytest.raises(APIConnectionError):
        asyncio.run(elsewhere())
""",
        *options,
    )
    assert "1 passed" in done.stdout, done.stdout


def test_the_plugin_imports_nothing_of_ferroscope_by_itself() -> None:
    program = (
        "import sys, pytest_ferroscope; print([name for name in sys.modules if name.partition('.')[0] == 'ferroscope'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )
    assert done.stdout == "[]\n"


def test_the_example_of_the_page_passes(tmp_path: Path) -> None:
    page = (SOURCES.parent / "docs" / "testing.md").read_text()
    examples = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (example,) = [example for example in examples if "def test_" in example]
    done = run(tmp_path, example)
    assert "1 passed" in done.stdout, done.stdout


def test_the_block_covers_datagrams_and_the_older_lookups() -> None:
    with blocked(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for refused in (
            lambda: socket.gethostbyname("host.invalid"),
            lambda: socket.gethostbyaddr("192.0.2.1"),
            lambda: sender.sendto(b"x", ("192.0.2.1", 9)),
        ):
            with pytest.raises(BlockedConnectionError):
                refused()
        assert socket.gethostbyname("127.0.0.1") == "127.0.0.1"
