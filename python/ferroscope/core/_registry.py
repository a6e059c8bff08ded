"""The providers that can be called by name; a provider's record is loaded when its name is first used."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from ..errors import MissingExtraError
from .base.quirks import Quirks

if TYPE_CHECKING:
    from .._dialects.openai_chat.server import Server
    from .._engine.provider import Provider

# Packages with classes of their own: the name, and where the record is.
_PACKAGES: Final = {
    "anthropic": "ferroscope.core.anthropic._provider:ANTHROPIC",
    "azure": "ferroscope.core.azure._provider:AZURE",
    "bedrock": "ferroscope.core.bedrock._provider:BEDROCK",
    "cohere": "ferroscope.core.cohere._provider:COHERE",
    "gemini": "ferroscope.core.gemini._provider:GEMINI",
    "google": "ferroscope.core.google._provider:GOOGLE",
    "groq": "ferroscope.core.groq._provider:GROQ",
    "litellm": "ferroscope.core.litellm._provider:LITELLM",
    "mistral": "ferroscope.core.mistral._provider:MISTRAL",
    "openai": "ferroscope.core.openai._provider:OPENAI",
    "vertex": "ferroscope.core.vertex._provider:VERTEX",
    "xai": "ferroscope.core.xai._provider:XAI",
}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")

_registered: dict[str, Server] = {}
on_unregister: Final[list[Callable[[], None]]] = []
"""Functions that forget what was cached by a provider's name."""


def provider_names() -> list[str]:
    """Return the names of all providers, those registered by the program included."""
    return sorted({*_PACKAGES, *_servers(), *_registered})


@cache
def provider_record(name: str) -> Provider:
    """Return the record of a provider.

    Raises:
        ValueError: There is no such provider.
        ferroscope.errors.MissingExtraError: Its SDK is not installed.
    """
    if name in _PACKAGES:
        module, _, attribute = _PACKAGES[name].partition(":")
        return cast("Provider", getattr(import_module(module), attribute))
    server = _registered.get(name) or _servers().get(name)
    if server is None:
        near = difflib.get_close_matches(name, provider_names(), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"Unsupported provider: {name}{hint}; known providers: {', '.join(provider_names())}")
    from ._servers import server_record

    return server_record(server)


def _servers() -> dict[str, Server]:
    """Return the built-in servers that speak OpenAI's format; none where OpenAI's SDK is not installed."""
    try:
        from ._servers import SERVERS
    except MissingExtraError:
        return {}
    return SERVERS


def register_provider(
    name: str,
    *,
    base_url: str,
    api_key_env: str | None = None,
    prices: str | None = None,
    quirks: Quirks | None = None,
    responses: bool = False,
) -> None:
    """Register a server that speaks OpenAI's chat completions, to be called as `llm.call("name/model")`.

    Decorators made earlier keep the record that they were made with.

    Args:
        name: The name of the provider: lower-case letters, digits, `_`, `-`, `.`.
        base_url: The URL below which `/chat/completions` is.
        api_key_env: The environment variable with the key; None if the server checks no key.
        prices: The provider in the price table, or `"free"`; None to use the name, for prices registered with
            `ferroscope.prices.register`.
        quirks: The differences of the server from OpenAI's format.
        responses: Whether the server has the Responses API too. Calls ask for it with
            `call_params={"api": "responses"}`.

    Raises:
        ValueError: The name is taken or has other characters, or the URL is not an HTTP URL.
        ferroscope.errors.MissingExtraError: OpenAI's SDK is not installed.

    Example:
        ```python
        import ferroscope
        from ferroscope import llm

        ferroscope.register_provider("acme", base_url="https://llm.acme.example/v1", api_key_env="ACME_API_KEY")


        @llm.call("acme/some-model")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"
        ```
    """
    from .._dialects.openai_chat.server import Server

    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a valid provider name: use lower-case letters, digits, '_', '-' and '.'")
    if name in provider_names():
        raise ValueError(f"the provider {name!r} already exists: unregister it first, or use another name")
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"`base_url` of {name!r} must be an HTTP URL such as 'https://host/v1', not {base_url!r}")
    _registered[name] = Server(
        name=name,
        base_url=base_url,
        api_key_env=api_key_env,
        prices=prices or "",
        quirks=quirks or Quirks(),
        responses=responses,
    )


def unregister_provider(name: str) -> None:
    """Remove a provider that `register_provider` added.

    Raises:
        ValueError: No provider of that name was registered.
    """
    if _registered.pop(name, None) is None:
        raise ValueError(f"no provider {name!r} was registered: {', '.join(sorted(_registered)) or 'none is'}")
    provider_record.cache_clear()
    for clear in on_unregister:
        clear()


def provider_and_model(provider: str, model: str | None) -> tuple[str, str]:
    """Return a provider and a model, also from the one string `"openai/gpt-4o-mini"`.

    Raises:
        ValueError: There is no model.
    """
    if model is None:
        provider, _, model = provider.partition("/")
        if not model:
            raise ValueError(
                f"no model specified: write `llm.call({provider!r}, 'a-model')` or `llm.call('{provider}/a-model')`"
            )
    return provider, model
