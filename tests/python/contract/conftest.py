"""Every behaviour over every provider, sync and async, through the public decorators and real SDK clients."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from ferroscope import llm, register_provider, unregister_provider
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
    LiteLLM,
    Mistral,
    OpenAIChat,
    OpenAIResponses,
    OpenAIServer,
    Vertex,
    Wire,
)


@dataclass(frozen=True)
class Row:
    """A provider: the environment of its SDK, the decorator that calls it, and its wire format.

    A provider without a module is a row of data, called through `llm.call`.
    """

    name: str
    environment: dict[str, str]  # `{url}` stands for the server's address
    model: str
    wire: Wire
    module: str = ""
    mount: str = ""  # the server's name for the provider, where it is another one
    options: dict[str, Any] = field(default_factory=dict)  # options of every call
    registered: dict[str, Any] = field(default_factory=dict)  # arguments of `register_provider`, if it needs that
    prices: str = ""  # the provider in the price table, where it has another name there
    kinds: tuple[str, ...] = ("sync", "async")

    @property
    def url_name(self) -> str:
        return self.mount or self.name

    @property
    def decorator(self) -> Callable[..., Any]:
        """The call decorator: takes a model and options."""
        return import_module(self.module).call if self.module else partial(llm.call, self.name)

    @property
    def arguments(self) -> list[str]:
        """For a program: the module with the decorator, the model, and the arguments of `register_provider`."""
        if self.module:
            return [self.module, self.model]
        registered = [json.dumps({"name": self.name, **self.registered})] if self.registered else []
        return ["ferroscope.llm", f"{self.name}/{self.model}", *registered]

    @property
    def key_variable(self) -> str:
        """The variable with the key; skips the test if the server checks no key."""
        keys = [name for name in self.environment if name.endswith(("KEY", "KEY_ID", "CREDENTIAL"))]
        return keys[0] if keys else pytest.skip("the server checks no key")

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
        name="litellm",
        module="ferroscope.core.litellm",
        environment={"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": "{url}"},
        model="openai/gpt-4o-mini",
        wire=LiteLLM,
        mount="openai",
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
    Row(
        name="ollama",
        environment={"OLLAMA_BASE_URL": "{url}"},
        model="llama3.2",
        wire=OpenAIServer,
        mount="openai",
        prices="free",
        kinds=("sync",),
    ),
    Row(
        name="vllm",
        environment={"VLLM_BASE_URL": "{url}"},
        model="qwen3",
        wire=OpenAIServer,
        mount="openai",
        prices="free",
        kinds=("async",),
    ),
    Row(
        name="acme",
        environment={"ACME_API_KEY": "test-key", "ACME_BASE_URL": "{url}"},
        model="gpt-4o-mini",
        wire=OpenAIServer,
        mount="openai",
        registered={"base_url": "http://acme.invalid/v1", "api_key_env": "ACME_API_KEY", "prices": "openai"},
        prices="openai",
        kinds=("async",),
    ),
]


def for_rows(chosen: Callable[[Row], bool]) -> pytest.MarkDecorator:
    """Run a test over some rows only."""
    return pytest.mark.parametrize("row", list(filter(chosen, ROWS)), ids=lambda row: row.label, indirect=True)


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

    def decorate(
        self,
        prompt: Callable[..., Any],
        *,
        model: str = "",
        around: Callable[[Any], Any] = lambda call: call,
        **options: Any,
    ) -> Callable[..., Any]:
        """The prompt function as a call of this kind, with a decorator around it if one is passed."""
        decorator = self.row.decorator(model or self.row.model, **self.row.options, **options)
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


# Of several rows with one SDK and one format, the first.
FIRST_OF_SDK = {(row.wire.sdk, row.wire.format): row for row in reversed(ROWS)}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the kinds of calls that a row leaves to another row of the same code, and mark the rows of one SDK."""
    left_out: set[pytest.Item] = set()
    for item in items:
        parameters = getattr(item, "callspec", None) and item.callspec.params  # type: ignore[attr-defined]
        row = parameters and parameters.get("row")
        if not isinstance(row, Row):
            continue
        if parameters.get("kind", row.kinds[0]) not in row.kinds:
            left_out.add(item)
        if FIRST_OF_SDK[row.wire.sdk, row.wire.format] is not row:
            item.add_marker("same_sdk")
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def close_litellm(runner: asyncio.Runner) -> None:
    """Close the async clients that LiteLLM has opened in a loop, and would leave to the garbage collector."""
    close = getattr(sys.modules.get("litellm"), "close_litellm_async_clients", None)
    if close is not None:
        runner.run(close())


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
def row(request: pytest.FixtureRequest, server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Row]:
    row: Row = request.param
    pytest.importorskip(getattr(row.wire, "package", row.wire.sdk), minversion=row.wire.oldest)
    for name, value in row.environment.items():
        monkeypatch.setenv(name, value.format(url=server.base_url(row.url_name)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of v1's names, which has a test of its own
        if row.module:
            import_module(row.module)
    if row.registered:
        register_provider(row.name, **row.registered)
    yield row
    if row.registered:
        unregister_provider(row.name)


@pytest.fixture
def caller(row: Row, kind: str, server: ProviderServer) -> Iterator[Caller]:
    with asyncio.Runner() as runner:
        yield Caller(row, kind, server, runner)
        close_litellm(runner)
