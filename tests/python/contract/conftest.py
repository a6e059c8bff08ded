"""Every behaviour over every provider, sync and async, through the public decorators and real SDK clients."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest

from ferroscope.core.base import BaseMessageParam, TextPart
from ferroscope.testing import ProviderServer

from .wires import (
    XAI,
    Anthropic,
    AzureInference,
    AzureOpenAI,
    BedrockConverse,
    Cohere,
    Gemini,
    Groq,
    Mistral,
    OpenAIChat,
    OpenAIResponses,
    Vertex,
    Wire,
)


@dataclass(frozen=True)
class Row:
    """A provider: where its SDK looks for a key and an address, and what of ours calls it."""

    name: str
    module: str
    environment: dict[str, str]  # `{url}` stands for the server's address
    model: str
    wire: Wire
    mount: str = ""  # what the server calls it, where that is another name
    options: dict[str, Any] = field(default_factory=dict)  # options of every call

    @property
    def url_name(self) -> str:
        return self.mount or self.name

    @property
    def key_variable(self) -> str:
        """The variable with the key."""
        return next(name for name in self.environment if name.endswith(("KEY", "KEY_ID", "CREDENTIAL")))

    @property
    def label(self) -> str:
        return self.mount if self.mount.startswith(self.name) else self.name


ROWS = [
    Row(
        name="openai",
        module="ferroscope.core.openai",
        environment={"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": "{url}"},
        model="gpt-4o-mini",
        wire=OpenAIChat,
    ),
    Row(
        name="openai",
        module="ferroscope.core.openai",
        environment={"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": "{url}"},
        model="gpt-4o-mini",
        wire=OpenAIResponses,
        mount="openai-responses",
        options={"api": "responses"},
    ),
    Row(
        name="anthropic",
        module="ferroscope.core.anthropic",
        environment={
            "ANTHROPIC_API_KEY": "test-key",
            "ANTHROPIC_BASE_URL": "{url}",
            # The API version of the SDK's 2.x takes no `temperature`.
            "ANTHROPIC_CUSTOM_HEADERS": "anthropic-version: 2023-06-01",
        },
        model="claude-haiku-4-5",
        wire=Anthropic,
    ),
    Row(
        name="google",
        module="ferroscope.core.google",
        environment={"GOOGLE_API_KEY": "test-key", "GOOGLE_GEMINI_BASE_URL": "{url}"},
        model="gemini-2.5-flash",
        wire=Gemini,
    ),
    Row(
        name="vertex",
        module="ferroscope.core.vertex",
        environment={"GOOGLE_API_KEY": "test-key", "GOOGLE_VERTEX_BASE_URL": "{url}"},
        model="gemini-2.5-flash",
        wire=Vertex,
    ),
    Row(
        name="groq",
        module="ferroscope.core.groq",
        environment={"GROQ_API_KEY": "test-key", "GROQ_BASE_URL": "{url}"},
        model="llama-3.3-70b-versatile",
        wire=Groq,
    ),
    Row(
        name="mistral",
        module="ferroscope.core.mistral",
        environment={"MISTRAL_API_KEY": "test-key", "MISTRAL_BASE_URL": "{url}"},
        model="mistral-large-latest",
        wire=Mistral,
    ),
    Row(
        name="cohere",
        module="ferroscope.core.cohere",
        environment={"CO_API_KEY": "test-key", "CO_API_URL": "{url}"},
        model="command-a-03-2025",
        wire=Cohere,
    ),
    Row(
        name="xai",
        module="ferroscope.core.xai",
        environment={"XAI_API_KEY": "test-key", "XAI_BASE_URL": "{url}"},
        model="grok-4",
        wire=XAI,
    ),
    Row(
        name="azure",
        module="ferroscope.core.azure",
        environment={"AZURE_OPENAI_API_KEY": "test-key", "AZURE_OPENAI_ENDPOINT": "{url}"},
        model="gpt-4o-mini",
        wire=AzureOpenAI,
    ),
    Row(
        name="azure",
        module="ferroscope.core.azure",
        environment={"AZURE_INFERENCE_CREDENTIAL": "test-key", "AZURE_INFERENCE_ENDPOINT": "{url}"},
        model="gpt-4o-mini",
        wire=AzureInference,
        mount="azure-inference",
    ),
    Row(
        name="bedrock",
        module="ferroscope.core.bedrock",
        environment={
            "AWS_ACCESS_KEY_ID": "test-key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "{url}",
        },
        model="us.anthropic.claude-haiku-4-5-20251001-v1:0",
        wire=BedrockConverse,
    ),
]


@dataclass
class Caller:
    """Makes calls of one provider, sync or async, so that a test is written once for both."""

    row: Row
    kind: str
    server: ProviderServer
    runner: asyncio.Runner = field(repr=False)

    @property
    def wire(self) -> Wire:
        """What bodies look like."""
        return self.row.wire

    @property
    def provider(self) -> Any:
        """The provider's module, such as `ferroscope.core.openai`."""
        return import_module(self.row.module)

    def decorate(
        self,
        prompt: Callable[..., Any],
        *,
        model: str = "",
        around: Callable[[Any], Any] = lambda call: call,
        **options: Any,
    ) -> Callable[..., Any]:
        """The prompt function as a call of this kind, with a decorator around it if one is passed."""
        decorator = self.provider.call(model or self.row.model, **self.row.options, **options)
        if self.kind == "sync":
            return around(decorator(prompt))

        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            return prompt(*args, **kwargs)

        asynchronous.__signature__ = inspect.signature(prompt)  # type: ignore[attr-defined]
        asynchronous.__name__, asynchronous.__doc__ = prompt.__name__, prompt.__doc__
        call = around(decorator(asynchronous))
        return lambda *args, **kwargs: self.await_(call(*args, **kwargs))

    def call(self, prompt: Callable[..., Any] | str = "Say hello", *args: Any, **options: Any) -> Any:
        """One call of a prompt, and what it returns."""
        function = prompt if callable(prompt) else (lambda: prompt)
        return self.decorate(function, **options)(*args)

    def consume(self, stream: Any) -> list[tuple[Any, Any]]:
        """All pairs of a stream."""
        if self.kind == "sync":
            return list(stream)

        async def collect() -> list[tuple[Any, Any]]:
            return [pair async for pair in stream]

        return self.await_(collect())

    def stream(self, prompt: Callable[..., Any] | str = "Say hello", *args: Any, **options: Any) -> Any:
        """A consumed stream."""
        stream = self.call(prompt, *args, **{"stream": True, **options})
        self.consume(stream)
        return stream

    def await_(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine with the context variables of the test, which a runner's own context would hide."""
        return self.runner.run(coroutine, context=copy_context())

    async def aclose(self, client: Any) -> None:
        """Close a client of the SDK."""
        await self.wire.aclose(client)

    def run(self, sync: Callable[[], Any], asynchronous: Callable[[], Any]) -> Any:
        """One of two spellings of the same."""
        return sync() if self.kind == "sync" else self.await_(asynchronous())


def text_of(message: BaseMessageParam) -> str:
    """The text of a common message, which is a string or parts."""
    if isinstance(message.content, str):
        return message.content
    return "".join(part.text for part in message.content if isinstance(part, TextPart))


@pytest.fixture(scope="session")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_server: ProviderServer) -> ProviderServer:
    _server.forget()
    return _server


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=ROWS, ids=lambda row: row.label)
def row(request: pytest.FixtureRequest, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Row:
    row: Row = request.param
    pytest.importorskip(getattr(row.wire, "package", row.wire.sdk), minversion=row.wire.oldest)
    for name, value in row.environment.items():
        monkeypatch.setenv(name, value.format(url=server.base_url(row.url_name)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of v1's names, which has a test of its own
        import_module(row.module)
    return row


@pytest.fixture
def caller(row: Row, kind: str, server: ProviderServer) -> Iterator[Caller]:
    with asyncio.Runner() as runner:
        yield Caller(row, kind, server, runner)
