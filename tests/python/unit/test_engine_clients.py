"""Default clients: how often they are made, and by what."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ferroscope._engine.clients import Clients, default_client


def test_threads_that_come_at_once_share_one_client() -> None:
    made: list[object] = []
    together = threading.Barrier(20)

    def make() -> object:
        time.sleep(0.01)  # as long as others need to come by
        made.append(object())
        return made[-1]

    clients = Clients(environment=(), sync=make, asynchronous=object)

    def take() -> object:
        together.wait()
        return default_client(clients, asynchronous=False)

    with ThreadPoolExecutor(20) as pool:
        taken = {future.result() for future in [pool.submit(take) for _ in range(20)]}
    assert taken == set(made)
    assert len(made) == 1


@pytest.mark.parametrize("environ", [os.environ, {}], ids=["the usual environment", "a dict in its place"])
def test_a_client_is_made_anew_when_a_variable_changes(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.setattr(os, "environ", environ)
    clients = Clients(environment=("FERROSCOPE_TEST_KEY",), sync=object, asynchronous=object)

    def take() -> object:
        return default_client(clients, asynchronous=False)

    monkeypatch.delenv("FERROSCOPE_TEST_KEY", raising=False)
    without = take()
    assert take() is without
    monkeypatch.setenv("FERROSCOPE_TEST_KEY", "one")
    first = take()
    assert take() is first
    monkeypatch.setenv("FERROSCOPE_TEST_KEY", "two")
    assert len({without, first, take()}) == 3
