"""Servers on one's own machine that speak OpenAI's chat completions, as records."""

from __future__ import annotations

import os
from dataclasses import replace

from openai import OpenAI

from ..._engine.clients import Clients
from ..._engine.provider import Provider
from ._provider import OPENAI, fast_async_client


def _local(name: str, base_url: str) -> Provider:
    """A server that is there by default under `base_url`; `FERROSCOPE_<NAME>_URL` says where else."""
    variable = f"FERROSCOPE_{name.upper()}_URL"

    def url() -> str:
        return os.environ.get(variable, base_url)

    # The key is not checked, but the SDK wants one.
    return replace(
        OPENAI,
        name=name,
        clients=Clients(
            environment=(variable, "FERROSCOPE_AIOHTTP"),
            sync=lambda: OpenAI(base_url=url(), api_key=name),
            asynchronous=lambda: fast_async_client(url(), name),
        ),
    )


OLLAMA = _local("ollama", "http://localhost:11434/v1")
VLLM = _local("vllm", "http://localhost:8000/v1")
