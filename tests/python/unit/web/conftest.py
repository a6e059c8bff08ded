"""The provider's server, the SDK's clients and the sites that the tests of streams for browsers share."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ferroscope.testing import ProviderServer
from ferroscope.web import MemoryStore

from .hosts import ASYNC_SITES, SYNC_SITES, Site
from .redis_server import redis_server
from .serving import served


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests with processes and browsers more time: their own waits have limits up to two minutes."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    pytest.importorskip("openai")
    with ProviderServer() as server:
        yield server


@pytest.fixture(scope="module")
def own_provider() -> Iterator[ProviderServer]:
    """Return a provider's server that the tests of a module share."""
    pytest.importorskip("openai")
    with ProviderServer() as server:
        yield server


# A process takes seconds to start, so the tests of a module share it.
@pytest.fixture(scope="module")
def helper(own_provider: ProviderServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of `ferroscope serve` with the function `helper`."""
    with served(tmp_path_factory.mktemp("app"), own_provider, "app:helper") as (url, _):
        yield url


def ask_async(provider: ProviderServer, **options: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return an async streaming call with a client of its own, and the function that closes the client."""
    from openai import AsyncOpenAI

    from ferroscope.core import openai

    client = AsyncOpenAI(api_key="sk-test-key", base_url=provider.base_url("openai"), max_retries=0)

    @openai.call("gpt-4o-mini", stream=True, client=client, **options)
    async def assistant() -> str:
        return "Go on."

    return assistant, client.close


def ask_sync(provider: ProviderServer, **options: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return a sync streaming call with a client of its own, and the function that closes the client."""
    from openai import OpenAI

    from ferroscope.core import openai

    client = OpenAI(api_key="sk-test-key", base_url=provider.base_url("openai"), max_retries=0)

    @openai.call("gpt-4o-mini", stream=True, client=client, **options)
    def assistant() -> str:
        return "Go on."

    return assistant, client.close


@pytest.fixture(params=[*ASYNC_SITES, *SYNC_SITES])
def host(request: pytest.FixtureRequest) -> str:
    return str(request.param)


OpenSite = Callable[..., str]


@pytest.fixture
def open_site(host: str, provider: ProviderServer) -> Iterator[OpenSite]:
    """Start the site of a framework, and return its address."""
    with ExitStack() as stack:

        def start(format: str = "vercel", **options: Any) -> str:
            if host in SYNC_SITES:
                assistant, close = ask_sync(provider)
                stack.callback(close)
                return stack.enter_context(SYNC_SITES[host](Site(assistant, format, **options), close))
            assistant, close = ask_async(provider)
            return stack.enter_context(ASYNC_SITES[host](Site(assistant, format, **options), close))

        yield start


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["memory", "redis"])
def new_store(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return the function that makes a store; with Redis, each one is that of another process."""
    if request.param == "memory":
        return MemoryStore
    url = request.getfixturevalue("redis_url")
    from ferroscope.web.redis import RedisStore

    prefix = f"test-{secrets.token_hex(4)}:"
    return lambda **options: RedisStore(url, prefix=prefix, **options)
