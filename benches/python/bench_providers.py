"""A streamed call of each provider over HTTP: CPU per chunk, beside OpenAI's and the SDK's own iteration.

The server is a process of its own, so only the client is counted. All providers are read in one process, in turns: a
repetition of a provider and one of OpenAI, again and again. The ratio is the median of the ratios of these pairs. All
ways must read the same text first. A short run with TLS follows, of the providers with an SDK of their own.

    python benches/python/bench_providers.py [--provider groq] [--kind sync] [--chunks 2000] [--pairs 15] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from certificates import certificate
from ferroscope.testing import Answer, SpawnedServer, Text
from peers import measure

KINDS = ("sync", "async")
# The variables that lead each provider's default client to the server.
PROVIDERS: dict[str, dict[str, str]] = {
    "openai": {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": "{url}"},
    "azure": {"AZURE_OPENAI_API_KEY": "test", "AZURE_OPENAI_ENDPOINT": "{url}"},
    "xai": {"XAI_API_KEY": "test", "XAI_BASE_URL": "{url}"},
    "groq": {"GROQ_API_KEY": "test", "GROQ_BASE_URL": "{url}"},
    "mistral": {"MISTRAL_API_KEY": "test", "MISTRAL_BASE_URL": "{url}"},
    "anthropic": {"ANTHROPIC_API_KEY": "test", "ANTHROPIC_BASE_URL": "{url}"},
    "google": {"GOOGLE_API_KEY": "test", "GOOGLE_GEMINI_BASE_URL": "{url}"},
    "cohere": {"CO_API_KEY": "test", "CO_API_URL": "{url}"},
    "bedrock": {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "{url}",
    },
    "litellm": {
        "OPENAI_API_KEY": "test",
        "OPENAI_BASE_URL": "{url}",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
    },
}
# Servers that are rows of data, called through `llm.call` with OpenAI's SDK.
SERVERS = ("openrouter", "deepseek", "together", "fireworks", "cerebras", "perplexity", "moonshot", "ollama", "vllm")
for server in SERVERS:
    PROVIDERS[server] = {f"{server.upper()}_API_KEY": "test", f"{server.upper()}_BASE_URL": "{url}"}
MOUNTS = {"litellm": "openai"}
WITH_SDK = ("openai", "groq", "mistral", "anthropic", "google", "cohere", "bedrock")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", choices=PROVIDERS, action="append", help="this provider only; may be repeated")
    parser.add_argument("--kind", choices=KINDS, help="one kind of call only")
    parser.add_argument("--chunks", type=int, default=2000, help="the number of pieces of the text")
    parser.add_argument("--pairs", type=int, default=15, help="the number of pairs of each provider and OpenAI")
    parser.add_argument("--no-sdk", action="store_true", help="leave out the SDK's own iteration")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options, _ = parser.parse_known_args(arguments)
    figures: dict[str, dict[str, Any]] = {}
    for kind in [options.kind] if options.kind else KINDS:
        print(f"\n{kind}: CPU µs a chunk (median), the ratio to OpenAI's in pairs, and the SDK's own")
        found = run(options.provider or list(PROVIDERS), kind, options.chunks, options.pairs, sdk=not options.no_sdk)
        show(found)
        figures |= {f"{provider}, {kind}": one for provider, one in found.items()}
    for kind in [options.kind] if options.kind else KINDS:
        print(f"\n{kind}, TLS: CPU µs a chunk (median), and the ratio to OpenAI's in pairs")
        providers = [name for name in options.provider or PROVIDERS if name in WITH_SDK]
        with certificate() as pem:
            found = run(providers, kind, min(options.chunks, 500), min(options.pairs, 3), sdk=False, pem=pem)
        show(found)
        figures |= {f"{provider}, {kind}, TLS": one for provider, one in found.items()}
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def show(found: dict[str, dict[str, Any]]) -> None:
    for provider, one in found.items():
        sdk = f"{one['sdk']:8.1f}   {one['version']}" if one["sdk"] else "       –"
        print(f"  {provider:10} {one['ferroscope']:8.2f}  x{one['ratio']:5.2f} {sdk}")


def run(
    providers: list[str], kind: str, chunks: int, pairs: int, *, sdk: bool, pem: Path | None = None
) -> dict[str, dict[str, Any]]:
    """Return for each provider the cost of a chunk in µs, its ratio to OpenAI's, the SDK's cost and its version."""
    # LiteLLM raises an error if a model repeats a chunk.
    text = "".join(f"{place:04} " for place in range(chunks))
    with SpawnedServer(default=Answer(Text(text, chunks)), certificate=pem) as server:
        urls = {provider: server.base_url(MOUNTS.get(provider, provider)) for provider in PROVIDERS}
        variables = {
            name: value.format(url=urls[provider])
            for provider, environment in PROVIDERS.items()
            for name, value in environment.items()
        }
        return measure(
            "here",
            "_providers_in.py",
            urls={provider: urls[provider] for provider in providers},
            kind=kind,
            pairs=pairs,
            with_sdk=sdk,
            text=text,
            chunks=chunks,
            variables=variables,
        )


if __name__ == "__main__":
    main()
