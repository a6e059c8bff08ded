"""CPU time of a server between a client and a provider: `ferroscope serve`, and relays on `stream.raw()` or the SDK.

    python benches/python/bench_relay.py [--rounds N] [--seconds N] [--requests N] [--events N] [--streams N]
        [--litellm DIR]

`--litellm` adds LiteLLM's proxy, from a virtual environment of its own: `pip install 'litellm[proxy]'`.
Provider, server and client are processes on loopback. The last rows have TLS between server and provider. The CPU time
is that of the server's process. The texts that the client receives are asserted to be those of the provider. The lowest
round of each load counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from certificates import certificate, environment
from ferroscope.testing import Answer, SpawnedServer, Text, Usage

HERE = Path(__file__).parent
MODEL = "gpt-4o-mini"
SERVE = ["-m", "ferroscope", "serve", f"openai/{MODEL}", "--port", "0"]
RELAY = str(HERE / "_relay_app.py")
SERVERS: dict[str, tuple[list[str], str]] = {
    "ferroscope serve, direct": (SERVE, "1"),
    "ferroscope serve": (SERVE, "0"),
    "stream.raw(), direct": ([RELAY, "raw"], "1"),
    "relay on the SDK": ([RELAY, "sdk"], "0"),
}
"""The arguments of the interpreter, and the value of `FERROSCOPE_DIRECT`, by server."""
WITH_TLS = ("ferroscope serve, direct", "stream.raw(), direct", "relay on the SDK")


@contextmanager
def running(arguments: list[str], direct: str) -> Iterator[tuple[str, int]]:
    """Run a server, and yield its address and the id of its process."""
    variables = {**os.environ, "FERROSCOPE_DIRECT": direct}
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True, env=variables)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if " at http" not in line:
            raise SystemExit(f"{arguments} did not start")
        yield line.rsplit(" ", 1)[1].strip(), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


@contextmanager
def running_litellm(environment: Path, url: str) -> Iterator[tuple[str, int]]:
    """Run LiteLLM's proxy from a virtual environment, and yield its address and the id of its process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        upstream = {"model": f"openai/{MODEL}", "api_base": url, "api_key": "test"}
        config.write_text(
            json.dumps({"model_list": [{"model_name": MODEL, "litellm_params": upstream}]})
        )  # JSON is YAML
        command = [environment / "bin" / "litellm", "--config", config, "--host", "127.0.0.1", "--port", str(port)]
        local = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"
        variables = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", local: "true"}
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=variables
        )
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.1)
            if process.poll() is not None:
                raise SystemExit("LiteLLM's proxy did not start")
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, from the sums of its scheduler, which count in nanoseconds."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(path.read_text().split()[0]) for path in tasks) / 1e9


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def post(address: str, *, stream: bool) -> bytes:
    """Return the whole response of a request on a connection of its own."""
    at = urlsplit(address)
    body = json.dumps(
        {"model": MODEL, "messages": [{"role": "user", "content": "Go on."}], **({"stream": True} if stream else {})}
    ).encode()
    reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=1 << 24)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-type: application/json\r\n"
        f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    received = await reader.read()
    writer.close()
    return received


def text_of(received: bytes, *, stream: bool) -> str:
    """Return the text of a response."""
    head, _, body = received.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        joined, rest = b"", body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            joined, rest = joined + rest[:length], rest[length + 2 :]
        body = joined
    if not stream:
        return str(json.loads(body)["choices"][0]["message"]["content"])
    lines = [line.removeprefix("data: ") for line in body.decode().split("\n") if line.startswith("data: ")]
    assert lines[-1] == "[DONE]", lines[-1]
    choices = [choice for line in lines[:-1] for choice in json.loads(line)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def words(count: int) -> str:
    """Return different words of one length: LiteLLM ends a stream that repeats a chunk."""
    return "".join(f"w{number:05} " for number in range(count))


async def burst(address: str, options: argparse.Namespace) -> list[str]:
    return [text_of(await post(address, stream=True), stream=True)]


async def paced(address: str, options: argparse.Namespace) -> list[str]:
    bodies = await asyncio.gather(*(post(address, stream=True) for _ in range(options.streams)))
    return [text_of(body, stream=True) for body in bodies]


async def plain(address: str, options: argparse.Namespace) -> list[str]:
    """Send requests on one connection, as the clients of SDKs do."""
    at = urlsplit(address)
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Go on."}]}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {at.netloc}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    texts = []
    for _ in range(options.requests):
        writer.write(head.encode() + body)
        received = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", received.lower())
        assert length, received
        texts.append(text_of(received + await reader.readexactly(int(length[1])), stream=False))
    writer.close()
    return texts


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=2000, help="events of the burst")
    parser.add_argument("--streams", type=int, default=50, help="paced streams, 20 events per second each")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds of the paced streams")
    parser.add_argument("--requests", type=int, default=200, help="requests without streaming")
    parser.add_argument("--litellm", type=Path, metavar="DIR", help="the environment of LiteLLM's proxy")
    options = parser.parse_args(arguments)
    paced_events = max(int(options.seconds * 20), 1)
    usage = Usage(9, 20)
    # Load, scripted answer, and what one measurement is divided by.
    loads: dict[str, tuple[Callable[..., Any], Answer, int]] = {
        "burst event": (burst, Answer(Text(words(options.events), options.events), usage=usage), options.events),
        "paced event": (
            paced,
            Answer(Text(words(paced_events), paced_events), usage=usage, delay=0.05),
            paced_events * options.streams,
        ),
        "plain request": (plain, Answer(Text("Emma"), usage=usage), options.requests),
    }
    # Plugins of pydantic that happen to be installed, such as logfire's, would count as memory of the servers.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    print(f"{'µs of CPU per':30}" + "".join(f"{load:>15}" for load in loads) + f"{'MB':>8}")
    servers = {name: partial(running, *server) for name, server in SERVERS.items()}
    with SpawnedServer() as provider:
        url = provider.base_url("openai")
        if options.litellm is not None:
            servers["LiteLLM's proxy"] = partial(running_litellm, options.litellm, url)
        with environment({"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": url}):
            for name, run in servers.items():
                measure(name, run, provider, loads, options)
    with (
        certificate() as pem,
        SpawnedServer(certificate=pem) as provider,
        environment({"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": provider.base_url("openai")}),
    ):
        for name in WITH_TLS:
            measure(f"{name}, TLS", servers[name], provider, loads, options)


def measure(
    name: str,
    run: Callable[[], AbstractContextManager[tuple[str, int]]],
    provider: SpawnedServer,
    loads: dict[str, tuple[Callable[..., Any], Answer, int]],
    options: argparse.Namespace,
) -> None:
    """Measure one server under each load, and print its row."""
    with run() as (address, pid):
        cells = []
        for load, answer, count in loads.values():
            provider.reply_always(Answer(Text("Emma"), usage=answer.usage))
            for _ in range(3):  # imports, connections
                for stream in (False, True):
                    assert text_of(asyncio.run(post(address, stream=stream)), stream=stream) == "Emma"
            provider.reply_always(answer)
            used = []
            for _ in range(1 if load is paced else options.rounds):
                before = cpu_seconds(pid)
                texts = asyncio.run(load(address, options))
                used.append((cpu_seconds(pid) - before) / count * 1e6)
                assert set(texts) == {answer.text}
            cells.append(min(used))
        print(f"{name:30}" + "".join(f"{cell:15.1f}" for cell in cells) + f"{resident_mb(pid):8.0f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
