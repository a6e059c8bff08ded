"""v1's programs with OpenTelemetry, HyperDX, Logfire and Langfuse: what their real SDKs send to a collector."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("opentelemetry.proto")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ferroscope.testing import Answer, ProviderServer, Status, Text, ToolCall, Usage

pytestmark = pytest.mark.slow
ANSWER = Answer(Text("The Name of the Wind"), usage=Usage(9, 4, cached=3), model="gpt-4o-mini-2024-07-18")
BOOK = Answer(ToolCall("Book", {"title": "Emma"}), usage=Usage(9, 4))

CALLS = """
import asyncio
from pydantic import BaseModel
from ferroscope.core import metadata, openai, prompt_template


class Book(BaseModel):
    title: str


@traced()
@openai.call("gpt-4o-mini", call_params={"temperature": 0.5, "extra_headers": {"x-tenant": "s3cret"}})
@metadata({"tags": {"v1"}})
@prompt_template("Recommend a {genre} book")
def recommend_book(genre: str): ...


@traced()
@openai.call("gpt-4o-mini")
async def recommend_book_async(genre: str) -> str:
    return f"Recommend a {genre} book"


@traced()
@openai.call("gpt-4o-mini", stream=True)
def stream_book(genre: str) -> str:
    return f"Recommend a {genre} book"


@traced()
@openai.call("gpt-4o-mini", response_model=Book)
def extract_book(genre: str) -> str:
    return f"Recommend a {genre} book"


@traced()
@openai.call("gpt-4o-mini", response_model=Book, stream=True)
def stream_extracted_book(genre: str) -> str:
    return f"Recommend a {genre} book"


print(recommend_book("fantasy").content)
print(asyncio.run(recommend_book_async("fantasy")).content)
for chunk, _ in stream_book("fantasy"):
    print(chunk.content, end="")
print()
print(extract_book("fantasy"))
for book in stream_extracted_book("fantasy"):
    pass
print(book)
try:
    recommend_book("fantasy")
except Exception as error:
    print(type(error).__name__)
"""
SCRIPT = (ANSWER, ANSWER, ANSWER, BOOK, BOOK, Status(401, "Not you."))
NAMES = (
    "recommend_book",
    "recommend_book_async",
    "stream_book",
    "extract_book",
    "stream_extracted_book",
    "recommend_book",
)
PRINTED = [
    "The Name of the Wind",
    "The Name of the Wind",
    "The Name of the Wind",
    "title='Emma'",
    "title='Emma'",
    "AuthenticationError",
]


@dataclass
class Span:
    """A span as a collector receives it."""

    name: str
    scope: str
    attributes: dict[str, Any]
    status: int
    parent: bytes


@dataclass
class Collector:
    """A server that takes traces by OTLP over HTTP."""

    url: str
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def spans(self) -> list[Span]:
        found: list[tuple[int, Span]] = []
        for path, headers, body in self.requests:
            if not path.endswith("/traces"):
                continue
            raw = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        attributes = {pair.key: plain(pair.value) for pair in span.attributes}
                        made = Span(span.name, scope.scope.name, attributes, span.status.code, span.parent_span_id)
                        found.append((span.start_time_unix_nano, made))
        return [span for _, span in sorted(found, key=lambda pair: pair[0])]


def plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            collector.requests.append((self.path, headers, body))
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            content = json.dumps({"project_name": "test", "project_url": collector.url}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(program: str, *script: Any, **environment: str) -> list[str]:
    """Run a program in a process of its own: a global tracer provider is for a whole process."""
    with ProviderServer(*script) as server:
        known = {
            "OPENAI_BASE_URL": server.base_url("openai"),
            "OPENAI_API_KEY": "test-key",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        # Logfire sends nothing from a program that it takes for a test.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            env={**inherited, **known, **environment},
        )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.splitlines()


def test_hyperdx_gets_the_spans_of_every_kind_of_call() -> None:
    program = f"from ferroscope.integrations.otel import with_hyperdx as traced\n{CALLS}"
    with collecting() as collector:
        printed = run(program, *SCRIPT, HYPERDX_API_KEY="hyper-key", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert printed == PRINTED
    spans = collector.spans()
    assert tuple(span.name for span in spans) == NAMES
    assert {path for path, _, _ in collector.requests} == {"/v1/traces"}
    assert {headers["authorization"] for _, headers, _ in collector.requests} == {"hyper-key"}
    first = spans[0].attributes
    assert (first["gen_ai.usage.input_tokens"], first["gen_ai.usage.output_tokens"]) == (9, 4)
    assert first["gen_ai.request.temperature"] == 0.5
    assert first["gen_ai.response.model"] == "gpt-4o-mini-2024-07-18"
    assert [span.attributes["async"] for span in spans] == [False, True, False, False, False, False]
    assert [span.attributes.get("error.type") for span in spans][-1] == "AuthenticationError"
    assert [span.status for span in spans] == [0, 0, 0, 0, 0, 2]
    assert "fantasy" not in str(spans)


def test_logfire_gets_the_messages_and_the_answer_of_every_kind_of_call() -> None:
    pytest.importorskip("logfire")
    program = (
        "import logfire\nfrom ferroscope.integrations.logfire import with_logfire as traced\n"
        f"logfire.configure(console=False)\n{CALLS}\nlogfire.force_flush()"
    )
    with collecting() as collector:
        printed = run(program, *SCRIPT, LOGFIRE_TOKEN="pylf_v1_local_token", LOGFIRE_BASE_URL=collector.url)
    assert printed == PRINTED
    spans = [span for span in collector.spans() if span.attributes.get("logfire.span_type") == "span"]
    assert tuple(span.name for span in spans) == NAMES
    assert {span.scope for span in spans} == {"logfire.mirascope"}
    first = spans[0].attributes
    assert first["logfire.tags"] == ["v1"]
    assert "s3cret" not in str(spans)
    assert first["logfire.msg"] == "recommend_book"
    assert first["prompt_template"] == "Recommend a {genre} book"
    assert (first["provider"], first["model"], first["async"]) == ("openai", "gpt-4o-mini-2024-07-18", False)
    assert json.loads(first["messages"]) == [{"role": "user", "content": "Recommend a fantasy book"}]
    assert json.loads(first["template_variables"]) == {"genre": "fantasy"}
    assert json.loads(first["call_params"]) == {"temperature": 0.5}
    output = json.loads(first["output"])
    assert (output["content"], output["input_tokens"], output["output_tokens"]) == ("The Name of the Wind", 9, 4)
    assert output["cost"] > 0
    assert json.loads(first["response_data"])["model"] == "gpt-4o-mini-2024-07-18"
    assert json.loads(first["logfire.json_schema"])["properties"]["output"] == {"type": "object"}
    for span in spans[3:5]:
        assert json.loads(span.attributes["output"])["response_model"] == {
            "name": "Book",
            "arguments": {"title": "Emma"},
        }
    assert spans[-1].attributes["error.type"] == "AuthenticationError"


def test_logfire_gets_no_keys_among_the_parameters() -> None:
    """LiteLLM takes credentials as parameters of a call."""
    pytest.importorskip("logfire")
    from ferroscope.integrations.logfire._with_logfire import _without_keys

    keys = {"aws_secret_access_key": "s3cret", "api_key": "s3cret", "default_headers": {"x-key": "s3cret"}}
    assert _without_keys({"temperature": 0.5, **keys}) == {
        "temperature": 0.5,
        "aws_secret_access_key": "***",
        "default_headers": {"x-key": "***"},
    }


def test_langfuse_gets_a_generation_with_exact_usage_and_cost_for_every_kind_of_call() -> None:
    pytest.importorskip("langfuse")
    program = f"from ferroscope.integrations.langfuse import with_langfuse as traced\n{CALLS}"
    with collecting() as collector:
        printed = run(
            program,
            *SCRIPT,
            LANGFUSE_PUBLIC_KEY="pk-test",
            LANGFUSE_SECRET_KEY="sk-test",
            LANGFUSE_HOST=collector.url,
            LANGFUSE_BASE_URL=collector.url,
        )
    assert printed == PRINTED
    spans = collector.spans()
    models = ["gpt-4o-mini-2024-07-18"] * 3 + ["gpt-4o-mini"] * 3
    assert [span.name for span in spans] == [f"{name} with {model}" for name, model in zip(NAMES, models, strict=True)]
    first = spans[0].attributes
    assert first["langfuse.observation.type"] == "generation"
    assert first["langfuse.observation.model.name"] == "gpt-4o-mini-2024-07-18"
    assert json.loads(first["langfuse.observation.model.parameters"]) == {"temperature": 0.5}
    assert json.loads(first["langfuse.observation.usage_details"]) == {
        "input": 6,
        "input_cached_tokens": 3,
        "output": 4,
        "output_reasoning_tokens": 0,
    }
    assert json.loads(first["langfuse.observation.cost_details"])["total"] == first["gen_ai.usage.cost"] > 0
    assert json.loads(first["langfuse.observation.input"]) == [{"role": "user", "content": "Recommend a fantasy book"}]
    assert first["langfuse.observation.output"] == "The Name of the Wind"
    assert first["langfuse.trace.tags"] == ["v1"]
    assert "langfuse.observation.completion_start_time" in spans[2].attributes
    for span in spans[3:5]:
        assert json.loads(span.attributes["langfuse.observation.output"]) == {"title": "Emma"}
    assert spans[-1].attributes["langfuse.observation.level"] == "ERROR"
    assert first["gen_ai.usage.input_tokens"] == 9


def test_two_decorators_record_one_span() -> None:
    pytest.importorskip("langfuse")
    program = """
import ferroscope
from ferroscope.core import openai
from ferroscope.integrations.langfuse import with_langfuse
from ferroscope.integrations.otel import with_otel

ferroscope.instrument()


@with_otel()
@with_langfuse()
@openai.call("gpt-4o-mini")
def recommend_book(genre: str) -> str:
    return f"Recommend a {genre} book"


recommend_book("fantasy")
"""
    with collecting() as collector:
        run(
            program,
            ANSWER,
            LANGFUSE_PUBLIC_KEY="pk-test",
            LANGFUSE_SECRET_KEY="sk-test",
            LANGFUSE_HOST=collector.url,
            LANGFUSE_BASE_URL=collector.url,
        )
    (span,) = collector.spans()
    assert span.attributes["gen_ai.usage.input_tokens"] == 9
    assert span.attributes["langfuse.observation.type"] == "generation"
    assert span.attributes["async"] is False


def test_content_can_be_left_out_of_langfuse_and_logfire() -> None:
    pytest.importorskip("langfuse")
    program = f"from ferroscope.integrations.langfuse import with_langfuse as traced\n{CALLS}"
    with collecting() as collector:
        run(
            program,
            *SCRIPT,
            LANGFUSE_PUBLIC_KEY="pk-test",
            LANGFUSE_SECRET_KEY="sk-test",
            LANGFUSE_HOST=collector.url,
            LANGFUSE_BASE_URL=collector.url,
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="false",
        )
    spans = collector.spans()
    assert len(spans) == 6
    assert "fantasy" not in str(spans)
    assert "Emma" not in str(spans)
    assert "Name of the Wind" not in str(spans)


def test_configure_prints_spans_to_the_console() -> None:
    program = """
from ferroscope.core import openai
from ferroscope.integrations.otel import configure, with_otel

configure()


@with_otel()
@openai.call("gpt-4o-mini")
def recommend_book(genre: str) -> str:
    return f"Recommend a {genre} book"


recommend_book("fantasy")
"""
    printed = json.loads("\n".join(run(program, ANSWER)))
    assert printed["name"] == "recommend_book"
    assert printed["attributes"]["gen_ai.request.model"] == "gpt-4o-mini"
    assert printed["attributes"]["gen_ai.usage.output_tokens"] == 4


def test_configure_adds_processors_to_the_provider_that_is_set() -> None:
    program = """
import json
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from ferroscope.integrations.otel import configure

provider = TracerProvider()
trace.set_tracer_provider(provider)
first, second = InMemorySpanExporter(), InMemorySpanExporter()
configure(processors=[SimpleSpanProcessor(first)])
tracer = configure(processors=[SimpleSpanProcessor(second)])
tracer.start_span("mine").end()
assert trace.get_tracer_provider() is provider
print(json.dumps([[span.name for span in exporter.get_finished_spans()] for exporter in (first, second)]))
"""
    (line,) = run(program)
    assert json.loads(line) == [["mine"], ["mine"]]


def test_hyperdx_without_a_key_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from ferroscope.errors import MissingApiKeyError
    from ferroscope.integrations.otel import with_hyperdx

    monkeypatch.delenv("HYPERDX_API_KEY", raising=False)
    with pytest.raises(MissingApiKeyError, match="HYPERDX_API_KEY"):
        with_hyperdx()


@pytest.mark.parametrize("module", ["logfire", "langfuse"])
def test_a_missing_package_is_an_error_that_names_its_extra(module: str) -> None:
    program = f"""
import sys
sys.modules[{module!r}] = None
try:
    from ferroscope.integrations import {module}
except ImportError as error:
    print(error)
"""
    (line,) = run(program)
    assert f"pip install 'ferroscope[{module}]'" in line


PAGE = Path(__file__).parents[3] / "docs/telemetry.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_of_the_page_print_what_they_say(number: int) -> None:
    pytest.importorskip("logfire")
    pytest.importorskip("langfuse")
    example = EXAMPLES[number]
    with collecting() as collector:
        printed = run(
            example,
            Answer(Text("The Name of the Wind"), usage=Usage(10, 20)),
            LOGFIRE_TOKEN="pylf_v1_local_token",
            LOGFIRE_BASE_URL=collector.url,
            LANGFUSE_PUBLIC_KEY="pk-test",
            LANGFUSE_SECRET_KEY="sk-test",
            LANGFUSE_HOST=collector.url,
            LANGFUSE_BASE_URL=collector.url,
        )
    assert printed == re.findall(r"^# > (.*)$", example, re.MULTILINE)
    assert printed
