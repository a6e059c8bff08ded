"""The stores of `cache=`, and the key of a request."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ferroscope import llm
from ferroscope.cache import Cache, MemoryCache, SQLiteCache
from ferroscope.core import openai
from ferroscope.testing import ProviderServer, Status

Make = Callable[..., Any]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Return a constructor of caches; those of SQLite share one file."""
    if request.param == "memory":
        return MemoryCache
    return lambda **limits: SQLiteCache(tmp_path / "answers.sqlite", **limits)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    with ProviderServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-a-secret-key")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        yield server


def test_what_was_stored_is_found(make: Make) -> None:
    cache = make()
    assert isinstance(cache, Cache)
    assert cache.get("a") is None
    cache.set("a", b"\x00one")
    cache.set("a", b"\x00two")
    cache.set("b", b"")
    assert (cache.get("a"), cache.get("b"), len(cache)) == (b"\x00two", b"", 2)
    cache.clear()
    assert (cache.get("a"), len(cache)) == (None, 0)


def test_an_old_answer_is_not_found(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    cache = make(ttl=60)
    cache.set("a", b"one")
    assert cache.get("a") == b"one"
    clocks = {name: getattr(time, name) for name in ("time", "monotonic")}
    for name, clock in clocks.items():
        monkeypatch.setattr(time, name, lambda clock=clock: clock() + 61)
    assert (cache.get("a"), len(cache)) == (None, 0)


def test_the_answers_that_were_not_used_for_longest_are_removed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time()
    cache = make(max_bytes=1000)
    for number in range(4):
        monkeypatch.setattr(time, "time", lambda number=number: now + number * 100)
        cache.set(str(number), bytes(240))
    assert cache.get("0") is not None
    monkeypatch.setattr(time, "time", lambda: now + 1000)
    cache.set("4", bytes(240))
    assert cache.get("4") is not None
    assert cache.get("0") is not None
    assert cache.get("1") is None
    assert len(cache) <= 4


def test_an_answer_over_the_limit_is_not_stored(make: Make) -> None:
    cache = make(max_bytes=100)
    cache.set("a", bytes(101))
    assert len(cache) == 0


@pytest.mark.parametrize("limits", [{"ttl": 0}, {"max_bytes": 0}])
def test_limits_out_of_range(make: Make, limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(limits))):
        make(**limits)


def test_threads_share_a_cache(make: Make) -> None:
    cache = make()

    def work(number: int) -> bytes | None:
        cache.set(str(number % 7), bytes([number % 7]) * 1000)
        return cache.get(str(number % 7))  # type: ignore[no-any-return]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(400))) == [bytes([number % 7]) * 1000 for number in range(400)]


_WRITER = """
import sys
from ferroscope.cache import SQLiteCache
cache = SQLiteCache(sys.argv[1])
for number in range(200):
    cache.set(f"{sys.argv[2]}-{number}", sys.argv[2].encode())
"""


def test_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    cache = SQLiteCache(path)
    assert len(cache) == 400
    assert cache.get("b-199") == b"b"
    cache.close()
    assert cache.get("a-0") == b"a"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_a_file_that_cannot_be_opened_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remember(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        opened.append(connect(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    (tmp_path / "answers.sqlite").write_bytes(b"not a database " * 100)
    cache = SQLiteCache(tmp_path / "answers.sqlite")
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        cache.get("key")
    (connection,) = opened
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_forked_process_opens_the_file_again(tmp_path: Path) -> None:
    cache = SQLiteCache(tmp_path / "answers.sqlite")
    cache.set("a", b"one")
    child = os.fork()
    if child == 0:
        ok = cache.get("a") == b"one"
        cache.set("b", b"two")
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert cache.get("b") == b"two"


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    cache = SQLiteCache(tmp_path / "answers.sqlite")
    cache.set("a", b"one")
    assert stat.S_IMODE((tmp_path / "answers.sqlite").stat().st_mode) == 0o600


def test_no_key_is_in_the_file(tmp_path: Path, server: ProviderServer) -> None:
    server.reply("Hi")
    cache = SQLiteCache(tmp_path / "answers.sqlite")
    call = llm.call(
        "openai", "gpt-4o-mini", cache=cache, call_params={"extra_headers": {"Authorization": "Bearer sk-another"}}
    )
    assert call(lambda: "Hi")().content == "Hi"
    cache.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Hi" in stored
    assert b"secret" not in stored
    assert b"sk-another" not in stored


@pytest.mark.parametrize(
    ("params", "requests"),
    [
        ({"user": "someone"}, 1),
        ({"timeout": 77}, 1),
        ({"extra_headers": {"X-Api-Key": "another", "traceparent": "00-1"}}, 1),
        ({"temperature": 0.5}, 2),
        ({"extra_headers": {"X-Mode": "terse"}}, 2),
    ],
)
def test_parameters_in_the_key(server: ProviderServer, params: dict[str, Any], requests: int) -> None:
    server.reply("one", "two")
    cache = MemoryCache()
    llm.call("openai", "gpt-4o-mini", cache=cache)(lambda: "Hi")()
    llm.call("openai", "gpt-4o-mini", cache=cache, call_params=params)(lambda: "Hi")()
    assert len(server.requests) == requests


def test_another_server_has_other_answers(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.reply("one", "two")
    cache = MemoryCache()
    ask = llm.call("openai", "gpt-4o-mini", cache=cache)(lambda: "Hi")
    assert ask().content == "one"
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    assert ask().content == "one"
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai").replace("127.0.0.1", "localhost"))
    assert ask().content == "two"


def test_the_cache_of_the_process_is_shared(server: ProviderServer) -> None:
    server.reply("one", "two")
    first = openai.call("gpt-4o-mini", cache="memory")(lambda: f"Hi from {server.base_url('openai')}")
    second = openai.call("gpt-4o-mini", cache="memory")(lambda: f"Hi from {server.base_url('openai')}")
    assert (first().content, second().content) == ("one", "one")


def test_a_context_sets_the_cache(server: ProviderServer) -> None:
    server.reply("one", "two")
    cache = MemoryCache()
    ask = llm.call("openai", "gpt-4o-mini")(lambda: "Hi")
    with llm.context(provider="openai", model="gpt-4o-mini", cache=cache):
        assert (ask().content, ask().content) == ("one", "one")
    assert ask().content == "two"


def test_an_answer_after_retries_is_stored(server: ProviderServer) -> None:
    pytest.importorskip("tenacity")
    from ferroscope.retries import Retry

    server.reply(Status(503), "one", Status(503), "two")
    cache = MemoryCache()
    for stream in (False, True):
        call = llm.call("openai", "gpt-4o-mini", stream=stream, cache=cache, retry=Retry(wait=0, jitter=0))
        for expected in (2, 0):
            answer: Any = call(lambda: "Hi")()
            list(answer) if stream else None
            assert len(answer.attempts) == expected
    assert len(server.requests) == 4


class _Broken:
    blocks = True

    def get(self, key: str) -> bytes | None:
        raise sqlite3.OperationalError("disk I/O error")

    def set(self, key: str, value: bytes) -> None:
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("cache", [_Broken(), MemoryCache()], ids=["failing", "garbage"])
def test_a_broken_cache_is_logged_and_the_call_goes_on(
    server: ProviderServer, caplog: pytest.LogCaptureFixture, cache: Any
) -> None:
    if isinstance(cache, MemoryCache):
        cache.get = lambda key: b"garbage"  # type: ignore[method-assign]
    server.reply("Hi")
    with caplog.at_level(logging.WARNING, "ferroscope.cache"):
        assert llm.call("openai", "gpt-4o-mini", cache=cache)(lambda: "Hi")().content == "Hi"
    assert "could not read an answer" in caplog.text


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("answers.sqlite", ValueError, r'"memory" or a cache such as `SQLiteCache'),
        (MemoryCache, TypeError, "an object with the methods of a `Cache`"),
        (3, TypeError, "not 3"),
    ],
)
def test_values_that_are_no_cache(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        openai.call("gpt-4o-mini", cache=given)(lambda: "Hi")


def test_an_argument_that_cannot_be_compared_is_refused(server: ProviderServer) -> None:
    with pytest.raises(TypeError, match="the call cannot be cached"):
        llm.call("openai", "gpt-4o-mini", cache="memory", call_params={"logit_bias": {"1": object()}})(lambda: "Hi")()
