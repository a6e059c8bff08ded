"""A streamed call of each provider over HTTP: CPU per chunk, beside the SDK's own iteration of the same bytes.

The server is a process of its own, so only the client is counted. Both ways must read the same text first. The first
row is OpenAI's: a chunk of any provider whose bytes are read should cost what its does.

    python benches/python/bench_providers.py [--provider groq] [--kind sync] [--chunks 1000] [--runs 4] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
MOUNTS = {"litellm": "openai"}
WAYS = ("ferroscope", "sdk")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", choices=PROVIDERS, action="append", help="this provider only; may be repeated")
    parser.add_argument("--kind", choices=KINDS, help="one kind of call only")
    parser.add_argument("--chunks", type=int, default=1000, help="how many pieces the text has")
    parser.add_argument("--runs", type=int, default=4, help="how often the stream is read; the first is not counted")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options, _ = parser.parse_known_args(arguments)
    figures: dict[str, dict[str, Any]] = {}
    for kind in [options.kind] if options.kind else KINDS:
        print(f"\n{kind}: CPU µs a chunk (median), and the SDK's own")
        for provider in options.provider or PROVIDERS:
            found = run(provider, kind, options.chunks, options.runs)
            figures[f"{provider}, {kind}"] = found
            ours, theirs = found["ferroscope"], found["sdk"]
            print(f"  {provider:10} {ours:8.2f} {theirs:8.2f}  x{theirs / ours:7.1f}   {found['version']}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def run(provider: str, kind: str, chunks: int, runs: int) -> dict[str, Any]:
    """Return the median cost of a chunk in both ways, in µs, and the version of the SDK."""
    # LiteLLM raises an error if a model repeats a chunk.
    text = "".join(f"{place:04} " for place in range(chunks))
    found: dict[str, Any] = {}
    with SpawnedServer(default=Answer(Text(text, chunks))) as server:
        url = server.base_url(MOUNTS.get(provider, provider))
        environment = {name: value.format(url=url) for name, value in PROVIDERS[provider].items()}
        for way in WAYS:
            read = measure(
                "here",
                "_providers_in.py",
                provider=provider,
                way=way,
                url=url,
                kind=kind,
                runs=runs,
                variables=environment,
            )
            if read["texts"] != [text]:
                raise SystemExit(f"{way} read something else of {provider}: {[one[:200] for one in read['texts']]}")
            found[way] = statistics.median(read["loop"]) / chunks * 1e6
            found["version"] = read["sdk"]
    return found


if __name__ == "__main__":
    main()
