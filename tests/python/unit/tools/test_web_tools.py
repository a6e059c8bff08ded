"""The web tools make requests to public hosts within their limits, and return failures as text."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from ferroscope.tools import HTTPX, AsyncHTTPX, HTTPXConfig, ParseURLConfig, ParseURLContent, Requests, RequestsConfig

PRIVATE = {"allow_private_hosts": True}


def httpx(arguments: dict[str, Any], **config: Any) -> str:
    return HTTPX.from_config(HTTPXConfig(**config)).model_validate(arguments).call()


def async_httpx(arguments: dict[str, Any], **config: Any) -> str:
    return asyncio.run(AsyncHTTPX.from_config(HTTPXConfig(**config)).model_validate(arguments).call())


def requests(arguments: dict[str, Any], **config: Any) -> str:
    return Requests.from_config(RequestsConfig(**config)).model_validate(arguments).call()


def parse_url(arguments: dict[str, Any], **config: Any) -> str:
    pytest.importorskip("bs4")
    return ParseURLContent.from_config(ParseURLConfig(**config)).model_validate(arguments).call()


Tool = Callable[..., str]
HTTPX_TOOLS = [httpx, async_httpx]
REQUEST_TOOLS = [*HTTPX_TOOLS, requests]
ALL_TOOLS = [*REQUEST_TOOLS, parse_url]


# ---- requests


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("tool", REQUEST_TOOLS)
def test_a_request_returns_the_text(tool: Tool, method: str, site: Any) -> None:
    answer = json.loads(tool({"url": f"{site.url}/echo?a=1#b", "method": method, "headers": {"X-A": "1"}}, **PRIVATE))
    assert answer == {"method": method, "path": "/echo?a=1", "body": ""}
    assert site.seen[0].headers["x-a"] == "1"


@pytest.mark.parametrize("tool", HTTPX_TOOLS)
def test_httpx_sends_forms_json_and_parameters(tool: Tool, site: Any) -> None:
    url = f"{site.url}/echo"
    form = tool({"url": url, "method": "POST", "data": {"a": "x y", "b": [1, 2]}, "params": {"q": "ä"}}, **PRIVATE)
    assert json.loads(form) == {"method": "POST", "path": "/echo?q=%C3%A4", "body": "a=x+y&b=1&b=2"}
    sent = json.loads(tool({"url": f"{url}?a=1", "method": "PUT", "json": {"a": None}, "params": {"b": 2}}, **PRIVATE))
    assert sent == {"method": "PUT", "path": "/echo?a=1&b=2", "body": '{"a": null}'}
    types = [seen.headers["content-type"] for seen in site.seen]
    assert types == ["application/x-www-form-urlencoded", "application/json"]
    assert tool({"url": url, "method": "HEAD"}, **PRIVATE) == ""
    assert json.loads(tool({"url": url, "method": "OPTIONS"}, **PRIVATE))["method"] == "OPTIONS"


def test_requests_sends_data_as_json(site: Any) -> None:
    answer = requests({"url": f"{site.url}/echo", "method": "POST", "data": {"a": 1}}, **PRIVATE)
    assert json.loads(answer)["body"] == '{"a": 1}'


@pytest.mark.parametrize("tool", HTTPX_TOOLS)
def test_a_status_is_an_error_text(tool: Tool, site: Any) -> None:
    assert tool({"url": f"{site.url}/nothing?key=secret"}, **PRIVATE) == (
        f"HTTP error occurred: 404 - '{site.url}/nothing?…' returned HTTP status 404 Not Found"
    )
    answer = tool({"url": f"{site.url}/to/echo", "follow_redirects": False}, **PRIVATE)
    assert answer.startswith("HTTP error occurred: 302 - ")


def test_a_failure_of_requests_names_the_url(site: Any) -> None:
    url = f"{site.url}/nothing"
    assert requests({"url": url}, **PRIVATE) == (
        f"StatusError: Failed to extract content from URL {url}: '{url}' returned HTTP status 404 Not Found"
    )


@pytest.mark.parametrize("tool", REQUEST_TOOLS)
def test_a_redirect_after_post_is_followed_as_by_browsers(tool: Tool, site: Any) -> None:
    request = {"method": "POST", "data": {"a": "1"}}
    assert json.loads(tool({"url": f"{site.url}/to/echo", **request}, **PRIVATE)) == {
        "method": "GET",
        "path": "/echo",
        "body": "",
    }
    kept = json.loads(tool({"url": f"{site.url}/to/echo/307", **request}, **PRIVATE))
    assert kept["method"] == "POST" and kept["body"] in ("a=1", '{"a": "1"}')


@pytest.mark.parametrize("tool", REQUEST_TOOLS)
def test_credentials_are_not_sent_to_another_origin(tool: Tool, site: Any) -> None:
    headers = {"Authorization": "Bearer k", "X-Api-Key": "k", "Accept": "text/plain"}
    tool({"url": f"{site.url}/to/other/origin", "headers": headers}, **PRIVATE)
    first, second = site.seen
    assert first.headers["authorization"] == "Bearer k"
    assert second.headers["accept"] == "text/plain"
    assert not {"authorization", "x-api-key"} & set(second.headers)


@pytest.mark.parametrize("name", ["Host", "transfer-encoding", "Content-Length", "Proxy-Authorization"])
@pytest.mark.parametrize("tool", REQUEST_TOOLS)
def test_headers_of_the_connection_are_refused(tool: Tool, name: str, site: Any) -> None:
    answer = tool({"url": f"{site.url}/echo", "headers": {name: "x"}}, **PRIVATE)
    assert f"the header '{name}' cannot be set" in answer
    assert site.seen == []


@pytest.mark.parametrize("header", [{"X-A": "1\r\nX-B: 2"}, {"X-A\r\nX-B": "2"}, {"X-A": "\u4e2d"}])
@pytest.mark.parametrize("tool", REQUEST_TOOLS)
def test_a_header_cannot_contain_another(tool: Tool, header: dict[str, str], site: Any) -> None:
    answer = tool({"url": f"{site.url}/echo", "headers": header}, **PRIVATE)
    assert "error" in answer.lower()
    assert site.seen == []


# ---- hostile servers


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://[::ffff:169.254.169.254]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://2130706433:1/",
        "http://0x7f.1:1/",
    ],
)
@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_private_addresses_are_refused(tool: Tool, url: str) -> None:
    assert "is not a public address" in tool({"url": url})


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/", "http://user:pass@a.example/", "http://", "x"]
)
@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_other_urls_are_refused(tool: Tool, url: str) -> None:
    answer = tool({"url": url})
    assert answer.startswith(("Request error occurred: ", "FetchRefusedError: ", "Failed to fetch content from URL: "))


@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_a_redirect_passes_the_same_gate(tool: Tool, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only the server of this test counts as public.
    from ferroscope.tools.web import _request

    monkeypatch.setattr(_request, "is_public", lambda address: str(address) == "127.0.0.1")
    answer = tool({"url": f"{site.url}/to/metadata"})
    assert "resolves to 169.254.169.254, which is not a public address" in answer
    assert [seen.path for seen in site.seen] == ["/to/metadata"]


@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_a_name_that_changes_its_address_gains_nothing(tool: Tool, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferroscope.tools.web import _request

    monkeypatch.setattr(_request, "is_public", lambda address: str(address) == "127.0.0.1")
    addresses = ["127.0.0.1", "169.254.169.254"]
    resolve = socket.getaddrinfo

    def rebinding(host: str, *args: Any, **kwargs: Any) -> Any:
        return resolve(addresses.pop(0) if host == "rebinding.example" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = site.url.replace("127.0.0.1", "rebinding.example")
    tool({"url": f"{url}/page"})
    assert addresses == ["169.254.169.254"]  # resolved once, for the check and the connection
    assert [seen.path for seen in site.seen] == ["/page"]
    # Another request, or a redirect, is checked again.
    assert "resolves to 169.254.169.254, which is not a public address" in tool({"url": f"{url}/page"})
    assert len(site.seen) == 1


@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_a_proxy_does_not_open_the_gate(tool: Tool, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", site.url)
    assert "is not a public address" in tool({"url": "http://10.0.0.1/page"})
    assert "its address cannot be checked" in tool({"url": "http://host.invalid/page"})
    assert site.seen == []
    tool({"url": "http://10.0.0.1/page"}, **PRIVATE)
    assert [seen.path for seen in site.seen] == ["http://10.0.0.1:80/page"]


@pytest.mark.parametrize(("path", "text"), [("to/file", "is not an http or https URL"), ("loop", "redirects")])
@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_a_redirect_to_a_file_or_in_a_loop_ends(tool: Tool, path: str, text: str, site: Any) -> None:
    assert text in tool({"url": f"{site.url}/{path}"}, **PRIVATE)


@pytest.mark.parametrize("path", ["promises/10/gb", "endless"])
@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_a_large_body_ends_at_the_limit(tool: Tool, path: str, site: Any) -> None:
    answer = tool({"url": f"{site.url}/{path}"}, max_bytes=100_000, **PRIVATE)
    assert "has more than 100000 bytes" in answer


@pytest.mark.parametrize("path", ["drips", "drips/headers"])
@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_a_slow_body_ends_at_the_deadline(tool: Tool, path: str, site: Any) -> None:
    begun = time.monotonic()
    answer = tool({"url": f"{site.url}/{path}"}, timeout=0.2, **PRIVATE)
    assert "took longer than 0.2 seconds" in answer
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("tool", ALL_TOOLS)
def test_a_compressed_body_is_refused(tool: Tool, site: Any) -> None:
    assert "encoded with 'gzip', which was not requested" in tool({"url": f"{site.url}/gzipped"}, **PRIVATE)


def test_an_async_request_does_not_block_the_loop(site: Any) -> None:
    async def main() -> list[str]:
        tool = AsyncHTTPX.from_config(HTTPXConfig(timeout=0.3, allow_private_hosts=True))
        order: list[str] = []

        async def request() -> None:
            await tool(url=f"{site.url}/drips").call()
            order.append("request")

        task = asyncio.create_task(request())
        while not site.seen:
            await asyncio.sleep(0)
        order.append("other")
        await task
        return order

    assert asyncio.run(main()) == ["other", "request"]


# ---- pages


def test_the_main_text_of_a_page_is_returned(site: Any) -> None:
    assert parse_url({"url": f"{site.url}/page"}, **PRIVATE) == "Title\nFirst.\nCafé"


def test_a_page_without_text_is_reported(site: Any) -> None:
    assert parse_url({"url": f"{site.url}/empty"}, **PRIVATE) == "No content found on the page"


def test_an_unknown_parser_is_reported(site: Any) -> None:
    answer = parse_url({"url": f"{site.url}/page"}, parser="no-such-parser", **PRIVATE)
    assert answer.startswith("FeatureNotFound: Failed to parse content from URL: ")
