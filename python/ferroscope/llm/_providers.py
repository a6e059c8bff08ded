"""Who can be called: the records of the providers, loaded when they are first named."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final, cast

from .._engine.provider import Provider

# A provider is a row: its name, and where its record stands.
PROVIDERS: Final = {
    "anthropic": "ferroscope.core.anthropic._provider:ANTHROPIC",
    "azure": "ferroscope.core.azure._provider:AZURE",
    "ollama": "ferroscope.core.openai._local:OLLAMA",
    "openai": "ferroscope.core.openai._provider:OPENAI",
    "vllm": "ferroscope.core.openai._local:VLLM",
}


@cache
def provider_record(name: str) -> Provider:
    """The record of a provider; this imports its SDK.

    Raises:
        ValueError: There is no such provider.
        ferroscope.errors.MissingExtraError: Its SDK is not installed.
    """
    if name not in PROVIDERS:
        raise ValueError(f"Unsupported provider: {name}; known are {', '.join(sorted(PROVIDERS))}")
    module, _, attribute = PROVIDERS[name].partition(":")
    return cast("Provider", getattr(import_module(module), attribute))


def provider_and_model(provider: str, model: str | None) -> tuple[str, str]:
    """A provider and a model, also of the one string `"openai/gpt-4o-mini"`.

    Raises:
        ValueError: There is no model.
    """
    if model is None:
        provider, _, model = provider.partition("/")
        if not model:
            raise ValueError(
                f"no model is given: write `llm.call({provider!r}, 'a-model')` or `llm.call('{provider}/a-model')`"
            )
    return provider, model
