"""The cut-off of a read, which must never reach the next request on the connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ferroscope._engine.drain import cut_off, guard_close
from ferroscope.testing import Answer, ProviderServer, Request

httpx = pytest.importorskip("httpx")


def test_a_read_that_ends_during_its_cut_off_keeps_the_connection_until_it_is_shut_down() -> None:
    # Between the check of `is_closed` and the shutdown, the reading thread ends its response and sends a request.
    between: list[Callable[[], None]] = []

    class Watched(httpx.Response):  # type: ignore[name-defined,misc]
        @property
        def is_closed(self) -> bool:
            closed = self.__dict__["closed"]
            while between and threading.current_thread() is not threading.main_thread():
                between.pop()()
            return bool(closed)

        @is_closed.setter
        def is_closed(self, closed: bool) -> None:
            self.__dict__["closed"] = closed

    cut = threading.Event()

    def answer(request: Request) -> Answer:
        if not (request.json or {})["stream"]:
            cut.wait(5)  # the request is in progress when the connection is shut down
        return Answer("Hello")

    body: dict[str, Any] = {"model": "m", "messages": [], "stream": True}
    with ProviderServer(default=answer) as server, httpx.Client(base_url=server.base_url("openai")) as client:
        response = client.send(client.build_request("POST", "/chat/completions", json=body), stream=True)
        response.__dict__["closed"] = response.__dict__.pop("is_closed")
        response.__class__ = Watched
        guard_close(response)
        reads = response.iter_bytes()
        next(reads)
        answers: list[str] = []

        def end_and_ask_again() -> None:
            for _ in reads:
                pass
            answers.append(client.post("/chat/completions", json=body | {"stream": False}).text)

        asking = threading.Thread(target=end_and_ask_again)

        def race() -> None:
            asking.start()
            asking.join(0.3)  # with the guard it cannot end before the shutdown

        between.append(race)
        cutting = threading.Thread(target=cut_off, args=(response,))
        cutting.start()
        cutting.join()
        cut.set()
        asking.join()
        assert "Hello" in answers[0]


def test_a_close_that_the_program_replaced_stays() -> None:
    with ProviderServer(default="Hello") as server, httpx.Client(base_url=server.base_url("openai")) as client:
        body: dict[str, Any] = {"model": "m", "messages": [], "stream": True}
        response = client.send(client.build_request("POST", "/chat/completions", json=body), stream=True)
        replaced = response.close
        response.close = replaced
        guard_close(response)
        assert response.__dict__["close"] is replaced
        response.close()
