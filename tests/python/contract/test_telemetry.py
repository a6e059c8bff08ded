"""Spans and metrics of calls, as OpenTelemetry's SDK sees them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import ferroscope
from ferroscope import BaseMessageParam, errors
from ferroscope.core.base import BaseTool, ToolCallPart, ToolResultPart
from ferroscope.testing import Answer, Cut, Stall, Status, Text, ToolCall, Usage

from .conftest import Caller

MARKER = "xyzzy"
MODES: list[Any] = [None, "false", "NO_CONTENT", "EVENT_ONLY"]
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


class Book(BaseModel):
    title: str


class Weather(BaseTool):
    """Tell the weather."""

    city: str

    def call(self) -> str:
        return f"sunny {MARKER}"


@dataclass
class Telemetry:
    """What was exported."""

    exporter: InMemorySpanExporter
    provider: TracerProvider
    reader: InMemoryMetricReader

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        (span,) = self.spans
        return span

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.span.attributes or {})

    def metrics(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        found: dict[str, list[Any]] = {}
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name] = list(metric.data.data_points)
        return found


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider, meters = TracerProvider(), MeterProvider([reader])
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    ferroscope.instrument(tracer_provider=provider, meter_provider=meters)
    yield Telemetry(exporter, provider, reader)
    ferroscope.uninstrument()
    provider.shutdown()
    meters.shutdown()


def hello() -> str:
    return f"Say {MARKER}"


def leave(caller: Caller, stream: Any) -> None:
    def sync() -> None:
        with stream:
            for chunk, _ in stream:
                if chunk.content:
                    break

    async def asynchronous() -> None:
        async with stream:
            async for chunk, _ in stream:
                if chunk.content:
                    break

    caller.run(sync, asynchronous)


def test_a_call_has_one_span(caller: Caller, telemetry: Telemetry) -> None:
    caller.server.reply(Answer("Hello", usage=Usage(9, 4)))
    response = caller.decorate(hello)()
    span, attributes = telemetry.span, telemetry.attributes
    operation = attributes["gen_ai.operation.name"]
    assert operation in ("chat", "generate_content")
    assert (span.name, span.kind, span.status.status_code) == (
        f"{operation} {caller.row.model}",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert attributes["gen_ai.request.model"] == caller.row.model
    assert attributes["gen_ai.usage.input_tokens"] == 9
    assert attributes["gen_ai.usage.output_tokens"] == 4
    assert list(attributes["gen_ai.response.finish_reasons"]) == response.finish_reasons
    assert attributes.get("gen_ai.response.id") == (response.id or None)
    assert attributes.get("gen_ai.usage.cost") == response.cost
    assert "gen_ai.request.stream" not in attributes
    assert span.parent is None
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time < span.end_time


def test_a_stream_has_one_span_that_ends_with_it(caller: Caller, telemetry: Telemetry) -> None:
    caller.server.reply(Answer(Text("Hello there", ["Hello", " there"]), usage=Usage(9, 4)))
    stream = caller.decorate(hello, stream=True)()
    assert telemetry.spans == ()
    caller.consume(stream)
    attributes = telemetry.attributes
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.usage.input_tokens"] == 9
    assert attributes["gen_ai.usage.output_tokens"] == 4
    assert list(attributes["gen_ai.response.finish_reasons"]) == list(stream.finish_reasons)
    assert 0 < attributes["gen_ai.response.time_to_first_chunk"] < 60
    assert attributes.get("gen_ai.usage.cost") == stream.cost


def test_a_stream_that_is_left_has_one_span_with_what_came(caller: Caller, telemetry: Telemetry) -> None:
    caller.server.reply(Answer(Text("word " * 500), usage=Usage(9, 4)))
    leave(caller, caller.decorate(hello, stream=True)())
    attributes = telemetry.attributes
    assert list(attributes["gen_ai.response.finish_reasons"]) == ["error"]
    assert "error.type" not in attributes
    assert telemetry.span.status.status_code is StatusCode.UNSET
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0


def test_a_status_error_is_on_the_span(caller: Caller, telemetry: Telemetry) -> None:
    caller.server.reply(Status(400, f"No {MARKER}."))
    with pytest.raises(errors.APIStatusError) as caught:
        caller.decorate(hello)()
    assert telemetry.attributes["error.type"] == type(caught.value).__qualname__
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert MARKER not in telemetry.span.to_json()


def test_a_stream_that_breaks_has_one_span_with_the_error(caller: Caller, telemetry: Telemetry) -> None:
    caller.server.reply(Cut(Answer(Text("word " * 500)), at=9000, how="close"))
    with pytest.raises(errors.StreamError) as caught:
        caller.consume(caller.decorate(hello, stream=True)())
    assert telemetry.attributes["error.type"] == type(caught.value).__qualname__
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert list(telemetry.attributes["gen_ai.response.finish_reasons"]) == ["error"]


def test_a_structured_stream_has_one_span(caller: Caller, telemetry: Telemetry) -> None:
    caller.server.reply(Answer(Text('{"title": "Emma"}'), usage=Usage(9, 4)))
    stream = caller.decorate(hello, stream=True, response_model=Book, json_mode=True)()
    caller.consume(stream)
    assert telemetry.attributes["gen_ai.output.type"] == "json"
    assert telemetry.attributes["gen_ai.usage.output_tokens"] == 4


def test_a_cancelled_stream_has_one_span(caller: Caller, telemetry: Telemetry) -> None:
    if caller.kind == "sync":
        pytest.skip("only tasks are cancelled")
    caller.server.reply(Stall(Answer(Text("word " * 50)), after=8))
    stream = caller.decorate(hello, stream=True)()

    async def read(begun: asyncio.Event) -> None:
        async for _ in stream:
            begun.set()

    async def cancel() -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(read(begun))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    caller.await_(cancel())
    assert telemetry.attributes["error.type"] == "CancelledError"
    assert list(telemetry.attributes["gen_ai.response.finish_reasons"]) == ["error"]


@pytest.mark.parametrize("mode", MODES)
def test_no_content_is_exported_unless_it_is_asked_for(
    caller: Caller, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, mode: str | None
) -> None:
    monkeypatch.delenv(CONTENT, raising=False)
    if mode is not None:
        monkeypatch.setenv(CONTENT, mode)
    caller.server.reply(Answer(ToolCall("Weather", {"city": MARKER})), Answer(f"Answer {MARKER}"))
    call = caller.decorate(lambda history: history, tools=[Weather])
    system = BaseMessageParam(role="system", content=f"Be {MARKER}")
    question = BaseMessageParam(role="user", content=MARKER)
    first = call([system, question])
    answer = first.common_message_param
    output = ToolResultPart(type="tool_result", name="Weather", content=first.tool.call(), id=answer.content[-1].id)
    call([question, answer, BaseMessageParam(role="tool", content=[output])])
    assert len(telemetry.spans) == 2
    for span in telemetry.spans:
        assert MARKER not in span.to_json()
    assert MARKER not in str(telemetry.metrics())


def test_content_is_exported_when_it_is_asked_for(
    caller: Caller, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTENT, "true")
    caller.server.reply(Answer(ToolCall("Weather", {"city": "Paris"})))
    messages = [BaseMessageParam(role="system", content="Be brief"), BaseMessageParam(role="user", content="Weather?")]
    response = caller.decorate(lambda: messages, tools=[Weather])()
    attributes = telemetry.attributes
    assert json.loads(attributes["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief"}]
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}
    ]
    (answer,) = json.loads(attributes["gen_ai.output.messages"])
    calls = [part for part in response.common_message_param.content if isinstance(part, ToolCallPart)]
    assert [part for part in answer["parts"] if part["type"] == "tool_call"] == [
        {"type": "tool_call", "id": calls[0].id, "name": "Weather", "arguments": {"city": "Paris"}}
    ]
    (tool,) = json.loads(attributes["gen_ai.tool.definitions"])
    assert (tool["type"], tool["name"], tool["description"]) == ("function", "Weather", "Tell the weather.")


@pytest.mark.parametrize("leaves", [False, True])
def test_the_content_of_a_stream_is_exported_before_its_span_ends(
    caller: Caller,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    leaves: bool,
) -> None:
    monkeypatch.setenv(CONTENT, "true")
    caller.server.reply(Answer(Text("Hello there", ["Hello", " there"])))
    with caplog.at_level(logging.WARNING):
        stream = caller.call("Say hello", stream=True)
        if leaves:
            leave(caller, stream)
        else:
            caller.consume(stream)
    (answer,) = json.loads(telemetry.attributes["gen_ai.output.messages"])
    assert answer["parts"] == [{"type": "text", "content": "Hello" if leaves else "Hello there"}]
    assert [record for record in caplog.records if record.name.startswith("opentelemetry")] == []


def test_metrics_of_a_call_and_a_stream(caller: Caller, telemetry: Telemetry) -> None:
    caller.server.reply(*[Answer(Text("Hello there", ["Hello", " there"]), usage=Usage(9, 4))] * 2)
    caller.decorate(hello)()
    caller.stream("Say hello")
    metrics = telemetry.metrics()

    def counted(name: str) -> int:
        return sum(point.count for point in metrics[f"gen_ai.client.inference.{name}"])

    assert counted("duration") == 2
    assert counted("time_to_first_chunk") == counted("time_per_output_chunk") == 1
    assert counted("operation.input_tokens") == counted("operation.output_tokens") == 2
    assert [point.value for point in metrics["gen_ai.client.inference.usage.input_tokens"]] == [18]
    assert [point.value for point in metrics["gen_ai.client.inference.usage.output_tokens"]] == [8]
    assert "ferroscope.telemetry.pending" not in metrics
    (point,) = metrics["gen_ai.client.inference.usage.input_tokens"]
    assert point.attributes["gen_ai.request.model"] == caller.row.model
