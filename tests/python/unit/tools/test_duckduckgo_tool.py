"""The search tool returns results of DuckDuckGo's page, which a server on loopback sends here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

pytest.importorskip("ddgs")

from ddgs.engines.duckduckgo import Duckduckgo

from ferroscope.tools import DuckDuckGoSearch, DuckDuckGoSearchConfig

RESULT = (
    '<div class="links_main result__body"><h2><a href="https://{0}.example/">Title {0}</a></h2>'
    '<a href="https://{0}.example/">Snippet {0}</a></div>'
)


def block(name: str) -> str:
    return f"Title: Title {name}\nURL: https://{name}.example/\nSnippet: Snippet {name}"


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The queries that the server received. It answers each with three results, and some with none."""
    queries: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            (query,) = parse_qs(body)["q"]
            queries.append(query)
            names = [] if query == "nothing" else [f"{query}{index}" for index in range(3)]
            page = "".join(RESULT.format(name) for name in names) or "<p>No results</p>"
            self.send_response(503 if query == "broken" else 200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setattr(Duckduckgo, "search_url", f"http://127.0.0.1:{server.server_port}/html/")
    monkeypatch.delenv("DDGS_PROXY", raising=False)
    yield queries
    server.shutdown()
    thread.join()
    server.server_close()


def test_results_of_all_queries_are_returned(queries: list[str]) -> None:
    answer = DuckDuckGoSearch(queries=["a", "b"]).call()
    assert sorted(answer.split("\n\n")) == [block(name) for name in ("a0", "a1", "b0", "b1")]
    assert queries == ["a", "b"]


def test_the_number_of_results_is_configured(queries: list[str]) -> None:
    tool = DuckDuckGoSearch.from_config(DuckDuckGoSearchConfig(max_results_per_query=1))
    assert tool(queries=["a"]).call() == block("a0")


def test_a_query_without_results_does_not_lose_the_others(queries: list[str]) -> None:
    tool = DuckDuckGoSearch.from_config(DuckDuckGoSearchConfig(max_results_per_query=1))
    first, second, third = tool(queries=["nothing", "broken", "a"]).call().split("\n\n")
    assert first.startswith("Error: No results for 'nothing'")
    assert second.startswith("Error: No results for 'broken'")
    assert third == block("a0")


def test_the_number_of_queries_is_limited(queries: list[str]) -> None:
    assert DuckDuckGoSearch(queries=["a"] * 11).call() == "Error: 11 queries, but the maximum is 10"
    assert queries == []
