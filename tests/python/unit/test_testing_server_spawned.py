"""The provider server in a process of its own, and from the command line."""

from __future__ import annotations

import signal
import subprocess
import sys

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from ferroscope.testing import Answer, ProviderServer, SpawnedServer, Stall, Status, Text

ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]


def test_a_spawned_server_answers_and_records_like_one_in_this_process() -> None:
    seen = []
    for kind in (ProviderServer, SpawnedServer):
        with (
            kind(Status(503, retry_after=0.01), default=Answer(Text("Hello", chunks=2))) as server,
            openai.OpenAI(base_url=server.base_url("openai"), api_key="sk-secret") as client,
        ):
            server.reply("first")
            made = [client.chat.completions.create(model="m", messages=ASKED) for _ in range(2)]
            server.wait_closed()
            seen.append(
                (
                    [answer.choices[0].message.content for answer in made],
                    [(r.number, r.connection, r.json, r.outcome, r.bytes_sent) for r in server.requests],
                    (server.connections_opened, server.open_connections, server.open_streams),
                )
            )
    assert seen[0] == seen[1]
    assert seen[0][0] == ["first", "Hello"]


def test_waiting_for_a_spawned_server_ends_in_time() -> None:
    with (
        SpawnedServer(Stall("a b", after=1)) as server,
        openai.OpenAI(base_url=server.base_url("openai"), api_key="x") as client,
    ):
        stream = client.chat.completions.create(model="m", messages=ASKED, stream=True)
        with pytest.raises(TimeoutError, match="1 open streams"):
            server.wait_closed(0.01)
        stream.close()
        server.wait_closed()
        assert [request.outcome for request in server.requests] == ["abandoned"]


def test_a_start_that_fails_fails_here() -> None:
    with SpawnedServer() as server, pytest.raises(OSError, match="in use"):
        SpawnedServer(port=int(server.url.rpartition(":")[2])).start()


def test_a_stopped_server_says_so() -> None:
    server = SpawnedServer()
    with pytest.raises(RuntimeError, match="not running"):
        server.reply("x")
    with server:
        pass
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.requests


def test_the_command_line_prints_where_it_listens_and_ends_on_interrupt() -> None:
    command = [sys.executable, "-m", "ferroscope.testing", "--text", "Hello there", "--chunks", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        provider, url = process.stdout.readline().split()
        with openai.OpenAI(base_url=url, api_key="x") as client:
            stream = client.chat.completions.create(model="m", messages=ASKED, stream=True)
            pieces = [chunk.choices[0].delta.content for chunk in stream]
        process.send_signal(signal.SIGINT)
        assert (provider, pieces, process.wait(10)) == ("openai", ["", "Hello ", "there", None], 0)
