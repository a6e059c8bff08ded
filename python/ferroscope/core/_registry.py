"""The providers that can be called by name. The record of a provider is loaded on first use."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from ..errors import MissingExtraError
from .base._suggestions import near_name
from .base.quirks import Quirks

if TYPE_CHECKING:
    from .._dialects.openai_chat.server import Server
    from .._engine.provider import Provider

# Providers with classes of their own: the name, and the location of the record.
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
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_registered: dict[str, Server] = {}
on_unregister: Final[list[Callable[[], None]]] = []
"""Functions that clear caches whose keys are provider names."""


def provider_names() -> list[str]:
    """Return the names of all providers, including the registered ones."""
    return sorted({*_PACKAGES, *_servers(), *_registered})


@cache
def provider_record(name: str) -> Provider:
    """Return the record of a provider.

    Raises:
        ValueError: The provider is unknown.
        ferroscope.errors.MissingExtraError: The provider's SDK is not installed.
    """
    if name in _PACKAGES:
        module, _, attribute = _PACKAGES[name].partition(":")
        # The package checks its SDK. After a failure, the module alone could be imported.
        import_module(module.rpartition(".")[0])
        return cast("Provider", getattr(import_module(module), attribute))
    server = _registered.get(name) or _servers().get(name)
    if server is None:
        near = near_name(name, provider_names())
        hint = f" (did you mean {near!r}?)" if near else ""
        raise ValueError(f"Unsupported provider: {name}{hint}; known providers: {', '.join(provider_names())}")
    from ._servers import server_record

    return server_record(server)


def _servers() -> dict[str, Server]:
    """Return the built-in servers with OpenAI's format; none if OpenAI's SDK is not installed."""
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
    """Register a server with OpenAI's chat completions API, to call it as `llm.call("name/model")`.

    Existing decorated functions keep the record that they were created with.

    Args:
        name: The name of the provider: lower-case letters, digits, `_`, `-`, `.`.
        base_url: The URL that `/chat/completions` is appended to.
        api_key_env: The environment variable with the API key; None if the server checks no key.
        prices: The provider in the price table, or `"free"`. None looks up `name`, for prices registered with
            `ferroscope.prices.register`.
        quirks: The differences between the server's format and OpenAI's.
        responses: Whether the server has the Responses API too. A call selects it with
            `call_params={"api": "responses"}`.

    Raises:
        ValueError: The name is in use or invalid, the URL is not an HTTP URL, or `api_key_env` is not the name of a
            variable.
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
    if api_key_env is not None and not _VARIABLE.fullmatch(api_key_env):
        # Not shown: it may be the key.
        raise ValueError(
            f"`api_key_env` of {name!r} must be the name of an environment variable such as 'ACME_API_KEY', not the key"
        )
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
        ValueError: No provider with this name is registered.
    """
    if _registered.pop(name, None) is None:
        known = ", ".join(sorted(_registered)) or "none"
        raise ValueError(f"the provider {name!r} is not registered; registered: {known}")
    provider_record.cache_clear()
    for clear in on_unregister:
        clear()


def provider_and_model(provider: str, model: str | None) -> tuple[str, str]:
    """Return the provider and the model, also from a single string such as `"openai/gpt-4o-mini"`.

    Raises:
        ValueError: No model is specified.
    """
    if model is not None:
        return provider, model
    name, _, model = provider.partition("/")
    if model:
        return name, model
    provider = name
    before, colon, after = provider.partition(":")
    if colon and before in provider_names():
        raise ValueError(f"no model specified: write `llm.call('{before}/{after}')`, with `/`")
    if name not in provider_names() and near_name(name, provider_names()) is None:
        raise ValueError(
            f"no model specified, and {provider!r} is not a provider: write `llm.call('a-provider', {provider!r})`; "
            f"known providers: {', '.join(provider_names())}"
        )
    raise ValueError(
        f"no model specified: write `llm.call({provider!r}, 'a-model')` or `llm.call('{provider}/a-model')`"
    )
