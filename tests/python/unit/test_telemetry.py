"""Where spans are put, which spans there are not, and how spans of streams end."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk")

from openai import AsyncOpenAI, OpenAI
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import ferroscope
from ferroscope import BaseMessageParam, Messages, llm
from ferroscope._engine import observing
from ferroscope._engine.source import _Bytes  # which way a stream is read is what a test is about
from ferroscope._telemetry import names
from ferroscope.core import openai
from ferroscope.core.base import BaseTool
from ferroscope.integrations.otel import with_otel
from ferroscope.testing import Answer, ProviderServer, Status, Text, ToolCall, Usage

LONG = Answer(Text("word " * 200), usage=Usage(9, 4))
HELLO = Answer(Text("Hello there", ["Hello", " there"]), usage=Usage(9, 4))


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(default=HELLO) as running:
        yield running


@pytest.fixture
def client(server: ProviderServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url("openai"), api_key="key") as made:
        yield made


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    made = TracerProvider()
    yield made
    made.shutdown()


@pytest.fixture
def exporter(provider: TracerProvider) -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(made))
    ferroscope.instrument(tracer_provider=provider)
    yield made
    ferroscope.uninstrument()


def only(exporter: InMemorySpanExporter, name: str = "chat gpt-4o-mini") -> ReadableSpan:
    (span,) = [span for span in exporter.get_finished_spans() if span.name == name]
    return span


def test_nothing_observes_calls_that_are_not_instrumented(client: OpenAI) -> None:
    ferroscope.uninstrument()

    @openai.call("gpt-4o-mini", client=client, stream=True)
    def hello() -> str:
        return "Say hello"

    stream: Any = hello()
    assert stream._run._call.observation is None
    list(stream)
    assert type(stream._run._source) is _Bytes


def test_a_traced_stream_is_read_as_bytes_and_costs_nothing_after_its_first_chunk(
    client: OpenAI, exporter: InMemorySpanExporter
) -> None:
    @openai.call("gpt-4o-mini", client=client, stream=True)
    def hello() -> str:
        return "Say hello"

    stream: Any = hello()
    list(stream)
    source = stream._run._source
    assert type(source) is observing.FirstChunkSource
    assert type(source._source) is _Bytes
    assert source.events == source._source.events


def test_the_parent_is_the_span_of_the_caller(
    client: OpenAI, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    tracer = provider.get_tracer("test")

    @openai.call("gpt-4o-mini", client=client, stream=True)
    def hello() -> str:
        return "Say hello"

    with tracer.start_as_current_span("caller"):
        stream = hello()
    with tracer.start_as_current_span("reader"):
        for _ in stream:
            assert trace.get_current_span().name == "reader"  # type: ignore[attr-defined]
    caller = only(exporter, "caller")
    span = only(exporter)
    assert span.parent is not None
    assert span.parent.span_id == caller.context.span_id
    assert span.context.trace_id == caller.context.trace_id


def test_the_span_is_current_while_the_request_is_sent(
    server: ProviderServer, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    tracer = provider.get_tracer("http")

    class Traced(OpenAI):
        def post(self, *args: Any, **kwargs: Any) -> Any:
            with tracer.start_as_current_span("POST"):
                return super().post(*args, **kwargs)

    with Traced(base_url=server.base_url("openai"), api_key="key") as client:

        @openai.call("gpt-4o-mini", client=client)
        def hello() -> str:
            return "Say hello"

        hello()
    span, post = only(exporter), only(exporter, "POST")
    assert post.parent is not None
    assert post.parent.span_id == span.context.span_id
    assert dict(span.attributes or {})[names.INPUT_TOKENS] == 9
    assert otel_context.get_current() == {}


def test_a_stream_left_when_the_loop_ends_detaches_nothing(
    server: ProviderServer,
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.reply(LONG)

    async def main() -> None:
        client = AsyncOpenAI(base_url=server.base_url("openai"), api_key="key")

        @openai.call("gpt-4o-mini", client=client, stream=True)
        async def hello() -> str:
            return "Say hello"

        async for _ in await hello():
            break
        with provider.get_tracer("test").start_as_current_span("afterwards"):
            pass

    with caplog.at_level(logging.DEBUG, logger="opentelemetry"):
        asyncio.run(main())
    assert [record for record in caplog.records if record.name.startswith("opentelemetry.context")] == []
    assert only(exporter, "afterwards").parent is None
    assert list((only(exporter).attributes or {})[names.FINISH_REASONS]) == ["error"]  # type: ignore[arg-type]


def test_a_stream_that_is_collected_after_its_loop_has_closed_ends_its_span(
    server: ProviderServer, exporter: InMemorySpanExporter
) -> None:
    server.reply(LONG)
    loop = asyncio.new_event_loop()
    client = AsyncOpenAI(base_url=server.base_url("openai"), api_key="key")

    @openai.call("gpt-4o-mini", client=client, stream=True)
    async def hello() -> str:
        return "Say hello"

    async def begin() -> Any:
        iterator = aiter(await hello())
        await anext(iterator)
        return iterator

    iterator = loop.run_until_complete(begin())
    transport_closed = client.close()
    loop.run_until_complete(transport_closed)
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert exporter.get_finished_spans() == ()
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(finalizer=lambda generator: None)
    try:
        del iterator
        gc.collect()
    finally:
        sys.set_asyncgen_hooks(*hooks)
    assert list((only(exporter).attributes or {})[names.FINISH_REASONS]) == ["error"]  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["close", "collected", "exception"])
def test_every_way_out_of_a_stream_ends_one_span(
    server: ProviderServer, client: OpenAI, exporter: InMemorySpanExporter, way: str
) -> None:
    server.reply(LONG)

    @openai.call("gpt-4o-mini", client=client, stream=True)
    def hello() -> str:
        return "Say hello"

    stream = hello()
    iterator = iter(stream)
    next(iterator)
    if way == "close":
        stream.close()
        stream.close()
    elif way == "exception":
        with pytest.raises(KeyError):
            iterator.throw(KeyError("mine"))
    del iterator, stream
    gc.collect()
    attributes = dict(only(exporter).attributes or {})
    assert list(attributes[names.FINISH_REASONS]) == ["error"]  # type: ignore[arg-type]
    assert attributes.get(names.ERROR_TYPE) == ("KeyError" if way == "exception" else None)
    assert attributes[names.COST] > 0  # type: ignore[operator]  # the estimate


def test_a_stream_that_nobody_reads_has_no_span(client: OpenAI, exporter: InMemorySpanExporter) -> None:
    @openai.call("gpt-4o-mini", client=client, stream=True)
    def hello() -> str:
        return "Say hello"

    hello().close()
    assert exporter.get_finished_spans() == ()


def test_a_replayed_stream_has_no_second_span(client: OpenAI, exporter: InMemorySpanExporter) -> None:
    @openai.call("gpt-4o-mini", client=client, stream={"replay": True})
    def hello() -> str:
        return "Say hello"

    stream = hello()
    assert len(list(stream)) == len(list(stream)) > 0
    only(exporter)


def test_the_tokens_of_a_tool_loop_are_on_the_spans_once(
    server: ProviderServer, client: OpenAI, exporter: InMemorySpanExporter
) -> None:
    server.reply(
        Answer(ToolCall("Weather", {"city": "Paris"}), usage=Usage(20, 5)), Answer("Sunny", usage=Usage(40, 3))
    )

    class Weather(BaseTool):
        """Tell the weather."""

        city: str

        def call(self) -> str:
            return "sunny"

    @llm.call("openai", "gpt-4o-mini", client=client, tools=[Weather])
    def ask(history: list[BaseMessageParam]) -> Messages.Type:
        return history

    history = [BaseMessageParam(role="user", content="Weather?")]
    first = ask(history)
    assert first.tool
    history += [first.message_param, *first.tool_message_params([(first.tool, first.tool.call())])]
    ask(history)
    sums = [
        sum((span.attributes or {}).get(name, 0) for span in exporter.get_finished_spans())  # type: ignore[misc]
        for name in (names.INPUT_TOKENS, names.OUTPUT_TOKENS)
    ]
    assert sums == [60, 8]


def test_the_tokens_are_on_the_span_of_a_patched_client_where_it_has_one(
    client: OpenAI, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    create = client.chat.completions.create
    tracer = provider.get_tracer("instrumentation.of.the.sdk")

    def traced(**kwargs: Any) -> Any:
        with tracer.start_as_current_span("patched", attributes={"gen_ai.operation.name": "chat"}) as span:
            response = create(**kwargs)
            span.set_attribute(names.INPUT_TOKENS, response.usage.prompt_tokens)
            return response

    client.chat.completions.create = traced  # type: ignore[method-assign, assignment]

    @openai.call("gpt-4o-mini", client=client)
    def hello() -> str:
        return "Say hello"

    hello()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["patched", "chat gpt-4o-mini"]
    assert [names.INPUT_TOKENS in (span.attributes or {}) for span in spans] == [True, False]


def test_instrumentations_that_can_be_asked_to_record_nothing_do(
    client: OpenAI, exporter: InMemorySpanExporter
) -> None:
    create = client.chat.completions.create
    asked: list[object] = []

    def traced(**kwargs: Any) -> Any:
        asked.append(otel_context.get_value("suppress_language_model_instrumentation"))
        return create(**kwargs)

    client.chat.completions.create = traced  # type: ignore[method-assign, assignment]

    @openai.call("gpt-4o-mini", client=client)
    def hello() -> str:
        return "Say hello"

    hello()
    assert asked == [True]


@pytest.mark.parametrize(
    ("name", "usage", "expected"),
    [
        ("anthropic", Usage(10007, 5, cached=9000, cache_write=1000), (10007, 9000, 1000)),
        ("openai", Usage(2224, 5, cached=2048), (2224, 2048, None)),
    ],
)
def test_input_tokens_include_the_cached_ones_for_every_provider(
    server: ProviderServer,
    exporter: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    usage: Usage,
    expected: tuple[int, int, int | None],
) -> None:
    monkeypatch.setenv(f"{name.upper()}_API_KEY", "key")
    monkeypatch.setenv(f"{name.upper()}_BASE_URL", server.base_url(name))
    server.reply(Answer("Hello", usage=usage), Answer("Hello", usage=usage))
    model = {"anthropic": "claude-haiku-4-5", "openai": "gpt-4o-mini"}[name]

    @llm.call(name, model)  # type: ignore[call-overload, untyped-decorator]
    def hello() -> str:
        return "Say hello"

    @llm.call(name, model, stream=True)  # type: ignore[call-overload, untyped-decorator]
    def stream() -> str:
        return "Say hello"

    hello()
    list(stream())
    for span in exporter.get_finished_spans():
        attributes = span.attributes or {}
        found = tuple(
            attributes.get(key) for key in (names.INPUT_TOKENS, names.CACHE_READ_TOKENS, names.CACHE_WRITE_TOKENS)
        )
        assert found == expected


def test_parameters_have_the_names_of_the_conventions(client: OpenAI, exporter: InMemorySpanExporter) -> None:
    @openai.call(
        "gpt-4o-mini",
        client=client,
        call_params={"temperature": 0, "max_completion_tokens": 7, "n": 1, "stop": "END", "seed": 3},
    )
    def hello() -> str:
        return "Say hello"

    hello()
    attributes = dict(only(exporter).attributes or {})
    assert {name: value for name, value in attributes.items() if name.startswith("gen_ai.request.")} == {
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.max_tokens": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.seed": 3,
    }


def test_extra_attributes_are_on_the_span(
    client: OpenAI, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    ferroscope.instrument(
        tracer_provider=provider, extra_attributes=lambda finished: {"llm.cost.total": finished.cost or 0.0}
    )

    @openai.call("gpt-4o-mini", client=client)
    def hello() -> str:
        return "Say hello"

    response = hello()
    assert (only(exporter).attributes or {})["llm.cost.total"] == response.cost


def test_a_decorated_call_of_any_provider_records_its_content_when_asked(
    client: OpenAI, provider: TracerProvider, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)

    @with_otel(capture_content=True)
    @llm.call("openai", "gpt-4o-mini", client=client, call_params={"max_tokens": 5})
    def hello(name: str) -> str:
        return f"Say hello to {name}"

    response = hello("Ada")
    assert response.content == "Hello there"
    attributes = dict(only(exporter, "hello").attributes or {})
    assert attributes["gen_ai.request.max_tokens"] == 5
    assert attributes["gen_ai.provider.name"] == "openai"
    assert attributes["gen_ai.prompt.variable.name"] == "Ada"
    assert json.loads(str(attributes[names.OUTPUT_MESSAGES])) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Hello there"}], "finish_reason": "stop"}
    ]


def test_a_nested_call_has_a_span_of_its_own(
    client: OpenAI, provider: TracerProvider, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)

    @openai.call("gpt-4o-mini", client=client)
    def inner() -> str:
        return "Say hello"

    @with_otel()
    @openai.call("gpt-4o-mini", client=client)
    def outer() -> str:
        return inner().content

    outer()
    assert [span.name for span in exporter.get_finished_spans()] == ["chat gpt-4o-mini", "outer"]


ANTHROPIC = """
import asyncio, json, sys
import ferroscope
from ferroscope.core import anthropic
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
ferroscope.instrument()


@anthropic.call("claude-opus-4-6", stream=True)
def sync() -> str:
    return "Say hello"


@anthropic.call("claude-opus-4-6", stream=True)
async def asynchronous() -> str:
    return "Say hello"


async def main():
    stream = await asynchronous()
    async for _ in stream:
        pass
    return type(stream._run._source._source).__name__


stream = sync()
for _ in stream:
    pass
print(json.dumps([
    [[span.name, span.attributes.get("gen_ai.usage.input_tokens")] for span in exporter.get_finished_spans()],
    type(stream._run._source._source).__name__,
    asyncio.run(main()),
    len(exporter.get_finished_spans()),
]))
"""


def run(program: str, **environment: str) -> Any:
    """Run a program in a process of its own: a global tracer provider is for a whole process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_an_sdk_with_spans_of_its_own_records_none_and_is_read_as_bytes(server: ProviderServer) -> None:
    pytest.importorskip("anthropic", minversion="2")
    found = run(ANTHROPIC, ANTHROPIC_BASE_URL=server.base_url("anthropic"), ANTHROPIC_API_KEY="key")
    assert found == [[["chat claude-opus-4-6", 9]], "_Bytes", "_Bytes", 2]


@pytest.mark.slow
def test_without_opentelemetry_the_error_names_the_line_to_type() -> None:
    program = """
import json, sys
sys.modules["opentelemetry"] = None
import ferroscope
texts = []
for use in (lambda: ferroscope.instrument(), lambda: __import__("ferroscope.integrations.otel")):
    try:
        use()
    except ferroscope.MissingExtraError as error:
        texts.append(str(error))
print(json.dumps(texts))
"""
    first, second = run(program)
    for text in (first, second):
        assert "pip install 'ferroscope[opentelemetry]'" in text


def test_an_error_in_telemetry_does_not_reach_the_call(
    client: OpenAI, provider: TracerProvider, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(finished: Any) -> dict[str, Any]:
        raise KeyError("mine")

    ferroscope.instrument(tracer_provider=provider, extra_attributes=fail)

    @openai.call("gpt-4o-mini", client=client)
    def hello() -> str:
        return "Say hello"

    assert hello().content == "Hello there"
    only(exporter)
    assert [record.name for record in caplog.records] == ["ferroscope.telemetry"]


def test_each_request_of_a_retried_call_has_a_span(
    server: ProviderServer, client: OpenAI, exporter: InMemorySpanExporter
) -> None:
    server.reply(Status(500, "Again.", retry_after=0), HELLO, Status(500, "Again.", retry_after=0), HELLO)

    @openai.call("gpt-4o-mini", client=client, retry=2)
    def hello() -> str:
        return "Say hello"

    @openai.call("gpt-4o-mini", client=client, retry=2, stream=True)
    def stream() -> str:
        return "Say hello"

    hello()
    list(stream())
    attributes = [dict(span.attributes or {}) for span in exporter.get_finished_spans()]
    assert [found.get(names.ERROR_TYPE) for found in attributes] == ["InternalServerError", None] * 2
    assert [found.get(names.INPUT_TOKENS) for found in attributes] == [None, 9] * 2
