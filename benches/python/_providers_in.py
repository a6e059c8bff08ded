"""Runs in a process of its own: reads the scripted streams of all providers in turns, and counts the CPU."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import json
import os
import statistics
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
    options: dict[str, Any] = {"stream": True}
    if provider == "anthropic":
        options["call_params"] = {"max_tokens": 9999}
    if importlib.util.find_spec(f"ferroscope.core.{provider}"):
        decorate = importlib.import_module(f"ferroscope.core.{provider}").call(model_of(provider), **options)
    else:
        decorate = importlib.import_module("ferroscope.llm").call(f"{provider}/{MODEL}", **options)
    if is_async:

        @decorate
        async def ask_async() -> str:
            return "Go on."

        return ask_async

    @decorate
    def ask() -> str:
        return "Go on."

    return ask


def read_pair(pair: Any) -> str:
    return str(pair[0].content)


class Reader:
    """Reads the streams of one provider, one at a time."""

    def __init__(self, provider: str, is_async: bool, sdk: Chat | None = None) -> None:
        self.provider, self.is_async, self.sdk = provider, is_async, sdk
        self.read: Callable[[Any], str] = sdk.read if sdk else read_pair
        self.ask = None if sdk else ours(provider, is_async)
        self.client = sdk.client(is_async=is_async) if sdk else None

    def stream(self) -> Any:
        return self.sdk.stream(self.client) if self.sdk else self.ask()

    async def once(self) -> tuple[float, str]:
        """Return the CPU of the loop after its first turn, in seconds, and the text."""
        gc.collect()
        if self.sdk and self.provider == "bedrock" and self.is_async and hasattr(self.client, "__aenter__"):
            self.client = await self.client.__aenter__()
        stream = self.stream()
        parts: list[str] = []
        if not self.is_async:
            items = iter(stream)
            parts.append(self.read(next(items)))
            started = time.process_time()
            for item in items:
                parts.append(self.read(item))
            return time.process_time() - started, "".join(parts)
        aitems = aiter(stream if hasattr(stream, "__aiter__") else await stream)
        parts.append(self.read(await anext(aitems)))
        started = time.process_time()
        async for item in aitems:
            parts.append(self.read(item))
        return time.process_time() - started, "".join(parts)


async def compare(provider: str, url: str | None, is_async: bool, text: str, pairs: int) -> dict[str, Any]:
    """Return the medians of one provider in seconds: its own, its ratio to OpenAI's, and the SDK's if `url` is set."""
    usual, own = Reader("openai", is_async), Reader(provider, is_async)
    sdk = Reader(provider, is_async, sdk_of(provider, url)) if url else None
    # The first reads pay for what is made once: connections, schemas, caches.
    for reader in (usual, own, *([sdk] if sdk else [])):
        _, found = await reader.once()
        if found != text:
            raise SystemExit(f"{provider} was read as {found[:200]!r}")
    times = [((await own.once())[0], (await usual.once())[0]) for _ in range(pairs)]
    return {
        "ferroscope": statistics.median(one for one, _ in times),
        "ratio": statistics.median(one / other for one, other in times),
        "sdk": statistics.median([(await sdk.once())[0] for _ in range(2)]) if sdk else 0.0,
    }


# Each provider with an SDK of its own, or with a client of its own, and the package.
PACKAGES = {
    "openai": "openai",
    "azure": "openai",
    "xai": "openai",
    "groq": "groq",
    "mistral": "mistralai",
    "anthropic": "anthropic",
    "google": "google-genai",
    "cohere": "cohere",
    "bedrock": "botocore",
    "litellm": "litellm",
}


async def main(
    urls: dict[str, str],
    kind: str,
    pairs: int,
    with_sdk: bool,
    text: str,
    chunks: int,
    variables: dict[str, str],
) -> dict[str, Any]:
    os.environ.update(variables)
    results = {}
    for provider, url in urls.items():
        # LiteLLM's chunks cost so much that a few pairs do.
        its_url = url if with_sdk and provider in PACKAGES else None
        found = await compare(provider, its_url, kind == "async", text, 2 if provider == "litellm" else pairs)
        package = PACKAGES.get(provider, "")
        results[provider] = {
            "ferroscope": found["ferroscope"] / chunks * 1e6,
            "ratio": found["ratio"],
            "sdk": found["sdk"] / chunks * 1e6,
            "version": f"{package} {version(package)}" if package else "",
        }
    return results


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.loads(sys.argv[1])))))
