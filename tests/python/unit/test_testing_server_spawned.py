"""The provider server in a process of its own, and from the command line."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import openai
import pytest
import trustme
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


@pytest.mark.parametrize("kind", [ProviderServer, SpawnedServer])
def test_a_server_with_a_certificate_serves_over_tls(
    kind: type[ProviderServer | SpawnedServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    default = Answer(Text("word " * 20_000, chunks=2_000))
    with (
        kind(default=default, certificate=tmp_path / "server.pem") as server,
        openai.OpenAI(base_url=server.base_url("openai"), api_key="test") as client,
    ):
        assert server.base_url("openai").startswith("https://127.0.0.1:")
        stream = client.chat.completions.create(model="m", messages=ASKED, stream=True)
        texts = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
        server.reply(Answer(Text("slow " * 5, chunks=5), delay=0.001))
        slow = client.chat.completions.create(model="m", messages=ASKED, stream=True)
        paced = [chunk.choices[0].delta.content for chunk in slow if chunk.choices]
        assert "".join(filter(None, paced)) == "slow " * 5
        whole = client.chat.completions.create(model="m", messages=ASKED)
        assert whole.choices[0].message.content == "".join(filter(None, texts)) == "word " * 20_000


@pytest.mark.parametrize("kind", [ProviderServer, SpawnedServer])
def test_a_certificate_that_is_missing_fails_at_the_start(kind: type[ProviderServer | SpawnedServer]) -> None:
    with pytest.raises(FileNotFoundError):
        kind(certificate="missing.pem").start()


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
