"""A server that the default clients of several providers find."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import pytest

from ferroscope import llm
from ferroscope.testing import ProviderServer

NO_RETRY = {"x-should-retry": "false"}
"""Headers with which the SDKs do not retry."""


@dataclass
class Asker:
    """Makes `llm` calls, sync or async, so that a test is written once for both."""

    kind: str
    runner: asyncio.Runner

    @property
    def is_async(self) -> bool:
        return self.kind == "async"

    def decorate(self, *decorators: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call with a parameter `subject`; the last decorator is applied first."""

        def ask(subject: str = "books") -> str:
            """Ask about a subject."""
            return f"Tell me of {subject}"

        async def ask_async(subject: str = "books") -> str:
            """Ask about a subject."""
            return f"Tell me of {subject}"

        call: Any = ask_async if self.is_async else ask
        for decorator in reversed(decorators):
            call = decorator(call)
        return call if not self.is_async else (lambda *args, **kwargs: self.await_(call(*args, **kwargs)))

    def call(self, provider: str = "openai", model: str = "gpt-4o-mini", **options: Any) -> Callable[..., Any]:
        return self.decorate(llm.call(provider, model, **options))

    def items(self, stream: Any) -> list[Any]:
        """Read all items of a stream."""
        if not self.is_async:
            return list(stream)

        async def collect() -> list[Any]:
            return [item async for item in stream]

        return list(self.await_(collect()))

    def read(self, stream: Any) -> tuple[list[Any], Exception | None]:
        """Read the items of a stream, and the exception that ended it."""
        items: list[Any] = []

        async def collect() -> None:
            async for item in stream:
                items.append(item)

        try:
            if self.is_async:
                self.await_(collect())
            else:
                for item in stream:
                    items.append(item)
        except Exception as error:
            return items, error
        return items, None

    def collect(self, stream: Any) -> Any:
        return self.await_(stream.acollect()) if self.is_async else stream.collect()

    def await_(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine, context=copy_context())


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Iterator[Asker]:
    with asyncio.Runner() as runner:
        yield Asker(str(request.param), runner)


@pytest.fixture(scope="session")
def _retries_server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_retries_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _retries_server.forget()
    for name, variables in {
        "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
        "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        "google": ("GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
        "mistral": ("MISTRAL_API_KEY", "MISTRAL_BASE_URL"),
    }.items():
        monkeypatch.setenv(variables[0], "test-key")
        monkeypatch.setenv(variables[1], _retries_server.base_url(name))
    return _retries_server
