"""Runs in a process of its own: reads one provider's scripted stream again and again, and counts the CPU."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

ASKED: list[Any] = [{"role": "user", "content": "Go on."}]
MODEL = "m"


def chat_text(chunk: Any) -> str:
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""


def cohere_text(event: Any) -> str:
    return event.delta.message.content.text if event.type == "content-delta" else ""


def anthropic_text(event: Any) -> str:
    return event.delta.text if event.type == "content_block_delta" else ""


def bedrock_text(event: Any) -> str:
    return str(event["contentBlockDelta"]["delta"]["text"]) if "contentBlockDelta" in event else ""


class Chat:
    """OpenAI's SDK and those that were made like it; `path` is what the base URL has beside the server's."""

    def __init__(self, module: str, client: str, url: str, path: str = "") -> None:
        self.module, self.name, self.url = importlib.import_module(module), client, url + path

    read = staticmethod(chat_text)

    def client(self, *, is_async: bool) -> Any:
        made = getattr(self.module, f"{'Async' * is_async}{self.name}")
        return made(api_key="test", base_url=self.url)

    def stream(self, client: Any) -> Any:
        return client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)


class Anthropic(Chat):
    """Anthropic's SDK."""

    read = staticmethod(anthropic_text)

    def stream(self, client: Any) -> Any:
        return client.messages.create(model=MODEL, messages=ASKED, stream=True, max_tokens=9999)


class Mistral(Chat):
    """Mistral's SDK, with one client for both kinds."""

    def __init__(self, url: str) -> None:
        self.url = url

    @staticmethod
    def read(event: Any) -> str:
        return chat_text(event.data)

    def client(self, *, is_async: bool) -> Any:
        self.is_async = is_async
        from ferroscope.core.mistral._sdk import Mistral as Client

        return Client(api_key="test", server_url=self.url)

    def stream(self, client: Any) -> Any:
        method = client.chat.stream_async if self.is_async else client.chat.stream
        return method(model=MODEL, messages=ASKED)


class Cohere(Chat):
    """Cohere's SDK."""

    read = staticmethod(cohere_text)

    def __init__(self, url: str) -> None:
        self.module, self.url = importlib.import_module("cohere"), url

    def client(self, *, is_async: bool) -> Any:
        return (self.module.AsyncClientV2 if is_async else self.module.ClientV2)("test", base_url=self.url)

    def stream(self, client: Any) -> Any:
        return client.chat_stream(model=MODEL, messages=ASKED)


class Google(Chat):
    """Google's SDK, with one client for both kinds."""

    def __init__(self, url: str) -> None:
        self.module, self.url = importlib.import_module("google.genai"), url

    @staticmethod
    def read(chunk: Any) -> str:
        return chunk.text or ""

    def client(self, *, is_async: bool) -> Any:
        client = self.module.Client(api_key="test", http_options={"base_url": self.url})
        return client.aio if is_async else client

    def stream(self, client: Any) -> Any:
        return client.models.generate_content_stream(model=MODEL, contents="Go on.")


class Bedrock(Chat):
    """AWS's SDKs: boto3, and aiobotocore for async calls."""

    read = staticmethod(bedrock_text)

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, *, is_async: bool) -> Any:
        options = {"region_name": "us-east-1", "endpoint_url": self.url}
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        if not is_async:
            return importlib.import_module("boto3").client("bedrock-runtime", **options, **keys)
        session = importlib.import_module("aiobotocore.session").get_session()
        return session.create_client("bedrock-runtime", **options, **keys)

    def stream(self, client: Any) -> Any:
        sent = client.converse_stream(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "Go on."}]}])
        if isinstance(sent, dict):
            return sent["stream"]

        async def opened() -> Any:
            return (await sent)["stream"]

        return opened()


class LiteLLM(Chat):
    """LiteLLM's functions."""

    def __init__(self, url: str) -> None:
        self.module, self.url = importlib.import_module("litellm"), url

    def client(self, *, is_async: bool) -> Any:
        return self.module.acompletion if is_async else self.module.completion

    def stream(self, client: Any) -> Any:
        return client(model=f"openai/{MODEL}", messages=ASKED, stream=True, api_base=self.url, api_key="test")


def sdk_of(provider: str, url: str) -> Chat:
    """Return the SDK that reads a provider's streams."""
    makers: dict[str, Callable[[str], Chat]] = {
        "openai": lambda url: Chat("openai", "OpenAI", url),
        "xai": lambda url: Chat("openai", "OpenAI", url),
        "azure": lambda url: Chat("openai", "OpenAI", url, "/openai/v1"),
        "groq": lambda url: Chat("groq", "Groq", url),
        "anthropic": lambda url: Anthropic("anthropic", "Anthropic", url),
        "mistral": Mistral,
        "cohere": Cohere,
        "google": Google,
        "bedrock": Bedrock,
        "litellm": LiteLLM,
    }
    return makers[provider](url)


def model_of(provider: str) -> str:
    return f"openai/{MODEL}" if provider == "litellm" else MODEL


def ours(provider: str, is_async: bool) -> Any:
    """Return a decorated function with the client that Ferroscope makes."""
    call = importlib.import_module(f"ferroscope.core.{provider}").call
    options: dict[str, Any] = {"stream": True}
    if provider == "anthropic":
        options["call_params"] = {"max_tokens": 9999}
    if is_async:

        @call(model_of(provider), **options)
        async def ask_async() -> str:
            return "Go on."

        return ask_async

    @call(model_of(provider), **options)
    def ask() -> str:
        return "Go on."

    return ask


def read_pair(pair: Any) -> str:
    return str(pair[0].content)


def rounds(provider: str, way: str, url: str, runs: int) -> list[tuple[float, str]]:
    """Return the CPU of each loop after its first turn, and what was read."""
    found = []
    sdk = sdk_of(provider, url) if way == "sdk" else None
    client = sdk.client(is_async=False) if sdk else None
    ask = None if sdk else ours(provider, is_async=False)
    read = sdk.read if sdk else read_pair
    for _ in range(runs):
        gc.collect()
        items = iter(sdk.stream(client) if sdk else ask())
        parts = [read(next(items))]
        started = time.process_time()
        for item in items:
            parts.append(read(item))
        found.append((time.process_time() - started, "".join(parts)))
    return found


async def async_rounds(provider: str, way: str, url: str, runs: int) -> list[tuple[float, str]]:
    """Do the same in an event loop."""
    found = []
    sdk = sdk_of(provider, url) if way == "sdk" else None
    ask = None if sdk else ours(provider, is_async=True)
    read = sdk.read if sdk else read_pair
    async with contextlib.AsyncExitStack() as stack:
        client = sdk.client(is_async=True) if sdk else None
        if provider == "bedrock" and sdk:
            client = await stack.enter_async_context(client)
        for _ in range(runs):
            gc.collect()
            stream = sdk.stream(client) if sdk else ask()
            items = aiter(stream if hasattr(stream, "__aiter__") else await stream)
            parts = [read(await anext(items))]
            started = time.process_time()
            async for item in items:
                parts.append(read(item))
            found.append((time.process_time() - started, "".join(parts)))
    return found


PACKAGES = {"xai": "openai", "azure": "openai", "google": "google-genai", "mistral": "mistralai", "bedrock": "botocore"}


def main(provider: str, way: str, url: str, kind: str, runs: int, variables: dict[str, str]) -> dict[str, Any]:
    os.environ.update(variables)
    options = (provider, way, url, runs)
    made = rounds(*options) if kind == "sync" else asyncio.run(async_rounds(*options))
    package = PACKAGES.get(provider, provider)
    # The first round pays for what is made once: connections, schemas, caches.
    return {
        "sdk": f"{package} {version(package)}",
        "loop": [seconds for seconds, _ in made[1:]],
        "texts": sorted({text for _, text in made}),
    }


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
