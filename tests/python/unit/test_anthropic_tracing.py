"""The spans that Anthropic's SDK writes itself are as whole under a stream of ours as under one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ferroscope.testing import Answer, ProviderServer

pytest.importorskip("anthropic", minversion="2")

# In a process of its own: a tracer provider is for a whole process, and for good.
PROGRAM = """
import asyncio, json
from anthropic import Anthropic, AsyncAnthropic
from ferroscope.core import anthropic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
REQUEST = {"model": "claude-opus-4-6", "max_tokens": 10, "messages": [{"role": "user", "content": "Say hello"}]}


@anthropic.call("claude-opus-4-6", stream=True, call_params={"max_tokens": 10})
def sync() -> str:
    return "Say hello"


@anthropic.call("claude-opus-4-6", stream=True, call_params={"max_tokens": 10})
async def asynchronous() -> str:
    return "Say hello"


async def of_its_own() -> None:
    async for _ in await AsyncAnthropic().messages.create(**REQUEST, stream=True):
        pass


async def of_ours() -> None:
    async for _ in await asynchronous():
        pass


for _ in Anthropic().messages.create(**REQUEST, stream=True):
    pass
for _ in sync():
    pass
asyncio.run(of_its_own())
asyncio.run(of_ours())
print(json.dumps([dict(span.attributes) for span in exporter.get_finished_spans()]))
"""


@pytest.mark.slow
def test_spans_are_whole() -> None:
    with ProviderServer(default=Answer("Hello, how are you?")) as server:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "ANTHROPIC_BASE_URL": server.base_url("anthropic"), "ANTHROPIC_API_KEY": "test-key"},
        )
    assert done.returncode == 0, done.stderr
    spans = json.loads(done.stdout)
    assert len(spans) == 4
    for its, ours in (spans[:2], spans[2:]):
        assert set(ours) == set(its)
        assert any("usage.output_tokens" in name for name in ours)
