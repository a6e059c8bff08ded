"""`stream.sse`, `stream.raw` and `ferroscope.web.sse`: read by the formats' own clients, over every wire."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ferroscope import Messages
from ferroscope.testing import Answer, Cut, ProviderServer, Status, Text, ToolCall, ToolCalls, Usage
from ferroscope.web import Data, File, Source, ToolOutput, sse

from .conftest import Caller

TEXT = 'Hello\n\n"you"\r, é🙂.'


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sun in {city}"


def collect(caller: Caller, view: Any) -> bytes:
    """Read a view of a stream of either kind."""

    async def acollect() -> bytes:
        return b"".join([data async for data in view])

    return caller.run(lambda: b"".join(view), acollect)


def parsed(body: bytes) -> list[tuple[int, str, Any]]:
    """Return the number, name and data of each event; `[DONE]` stays text."""
    events = []
    for block in body.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        data = fields["data"]
        events.append((int(fields["id"]), fields.get("event", ""), data if data == "[DONE]" else json.loads(data)))
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    return events


def start(caller: Caller, *answers: Any, **options: Any) -> Any:
    caller.server.reply(*answers)
    return caller.call("Go on.", stream=True, **options)


def test_vercel_has_text_tools_usage_and_cost(caller: Caller) -> None:
    answer = Answer(
        Text(TEXT, 3), ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_a12345")), usage=Usage(10, 20)
    )
    stream = start(caller, answer, tools=[weather])
    events = [data for _, _, data in parsed(collect(caller, stream.sse()))]
    assert events[0] == {"type": "start", "messageId": events[0]["messageId"]}
    assert events[-1] == "[DONE]"
    assert "".join(event["delta"] for event in events[:-1] if event["type"] == "text-delta") == TEXT
    (call,) = [event for event in events[:-1] if event["type"] == "tool-input-available"]
    assert (call["toolName"], call["input"]) == ("weather", {"city": "Oslo"})
    metadata = events[-2]["messageMetadata"]
    assert events[-2]["finishReason"] == metadata["finishReason"] == "tool-calls"
    assert metadata["usage"]["inputTokens"] == stream.input_tokens
    assert metadata["usage"]["outputTokens"] == stream.output_tokens
    assert metadata["costUsd"] == stream.cost


def test_ag_ui_events_are_valid(caller: Caller) -> None:
    ag_ui = pytest.importorskip("ag_ui.core")
    from pydantic import TypeAdapter

    answer = Answer(Text(TEXT, 3), ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_a12345")))
    stream = start(caller, answer, tools=[weather])
    events = [data for _, _, data in parsed(collect(caller, stream.sse("ag-ui", thread_id="t", id="r")))]
    models = [TypeAdapter(ag_ui.Event).validate_python(event) for event in events]
    kinds = [str(model.type.value) for model in models]
    assert kinds[0] == "RUN_STARTED"
    assert kinds.index("TEXT_MESSAGE_END") < kinds.index("TOOL_CALL_START") < kinds.index("TOOL_CALL_END")
    assert kinds[-1] == "RUN_FINISHED"
    assert events[-1]["threadId"] == "t"
    assert events[-1]["runId"] == "r"
    assert events[-1]["result"]["finishReason"] == "tool_calls"
    assert "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT") == TEXT


class Relay(BaseHTTPRequestHandler):
    """Answers every request with a recorded body."""

    body = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def relay(body: bytes) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Relay,), {"body": body}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_openai_sdk_reads_the_chunks_of_any_provider(caller: Caller) -> None:
    openai = pytest.importorskip("openai")
    answer = Answer(
        Text(TEXT, 3), ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_a12345")), usage=Usage(10, 20)
    )
    stream = start(caller, answer, tools=[weather])
    body = collect(caller, stream.sse("openai", model="mine"))
    with relay(body) as url, openai.OpenAI(api_key="k", base_url=url) as client:
        chunks = list(
            client.chat.completions.create(
                model="mine", messages=[], stream=True, stream_options={"include_usage": True}
            )
        )
    assert {(chunk.id, chunk.model, chunk.created) for chunk in chunks} == {(chunks[0].id, "mine", chunks[0].created)}
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == TEXT
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert json.loads("".join(call.function.arguments for call in calls)) == {"city": "Oslo"}
    assert [call.function.name for call in calls if call.function.name] == ["weather"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["tool_calls"]
    assert chunks[-1].usage.prompt_tokens == stream.input_tokens
    assert chunks[-1].usage.cost == stream.cost


@pytest.mark.parametrize("format", ["vercel", "openai", "ag-ui", "text"])
def test_a_broken_answer_is_the_error_of_the_format(
    caller: Caller, format: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "ferroscope.web")
    stream = start(caller, Cut(Answer(Text("word " * 300, 300)), at=6000))
    events = parsed(collect(caller, stream.sse(format)))
    shown = json.dumps([data for _, _, data in events])
    assert "word" in shown
    assert "The answer broke off." in shown
    assert "127.0.0.1" not in shown
    assert "test-key" not in shown
    for claim in ('"finish_reason": "stop"', "RUN_FINISHED", '"finish"', '"done"'):
        assert claim not in shown
    assert "ferroscope.web" in {record.name for record in caplog.records}
    assert stream.content  # what was received


def test_a_refused_request_is_an_error_without_its_text(caller: Caller) -> None:
    caller.server.reply(Status(400, {"error": {"message": "sk-secret is not allowed", "type": "x"}}))
    stream = caller.call("Go on.", stream=True)
    shown = collect(caller, stream.sse()).decode()
    assert "sk-secret" not in shown
    assert '"type":"start"' in shown
    assert '"type":"error"' in shown


def test_leaving_the_loop_closes_the_connection(caller: Caller) -> None:
    stream = start(caller, Answer(Text("word " * 500, 500), delay=0.01))

    async def leave() -> None:
        events = aiter(stream.sse())
        await anext(events)
        await events.aclose()

    def leave_sync() -> None:
        events = iter(stream.sse())
        next(events)
        events.close()

    caller.run(leave_sync, leave)
    caller.server.wait_closed()


def test_raw_is_the_body_as_it_came(caller: Caller) -> None:
    answer = Answer(Text(TEXT, 3), usage=Usage(10, 20))
    stream = start(caller, answer)
    body = collect(caller, stream.raw())
    assert stream.content == TEXT
    assert stream.input_tokens == 10
    assert stream.cost is not None
    assert len(body) > len(TEXT)


async def agent(question: str, ask: Any) -> AsyncIterator[Any]:
    yield Data("progress", {"step": 1})
    history: list[Any] = []
    while True:
        stream = await ask(question, history)
        yield stream
        response = stream.construct_call_response()
        history.append(response.message_param)
        if not response.tools:
            return
        outputs = [(tool, tool.call()) for tool in response.tools]
        for tool, output in outputs:
            yield ToolOutput(tool, output)
        history += response.tool_message_params(outputs)
        yield Source("https://example.org/weather", "Weather")
        yield File("data:text/plain,x", "text/plain")


@pytest.mark.parametrize("kind", ["async"], indirect=True)
@pytest.mark.parametrize("format", ["vercel", "openai", "ag-ui", "text"])
def test_an_agent_is_one_outgoing_stream(caller: Caller, format: Any) -> None:
    caller.server.reply(
        Answer(ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_a12345")), usage=Usage(10, 20)),
        Answer(Text("Sunny.", 2), usage=Usage(30, 5)),
    )

    @caller.row.decorator(caller.row.model, **caller.row.options, stream=True, tools=[weather])
    async def ask(question: str, history: list[Any]) -> Any:
        return [Messages.User(question), *history]

    body = collect(caller, sse(agent("Weather?", ask), format))
    events = [data for _, _, data in parsed(body)]
    shown = json.dumps(events)
    assert "Sun" in shown
    if format == "vercel":
        kinds = [event["type"] for event in events[:-1]]
        assert kinds.count("start") == kinds.count("finish") == 1
        assert kinds.count("start-step") == kinds.count("finish-step") == 2
        assert {"type": "data-progress", "data": {"step": 1}} in events
        (output,) = [event for event in events[:-1] if event["type"] == "tool-output-available"]
        assert output["output"] == "sun in Oslo"
        assert events[-2]["messageMetadata"]["usage"]["totalTokens"] == 65
        assert events[-2]["messageMetadata"]["costUsd"] is not None
    elif format == "openai":
        assert "tool_calls" not in shown
        assert events[-1] == "[DONE]"
    elif format == "ag-ui":
        (result,) = [event for event in events if event["type"] == "TOOL_CALL_RESULT"]
        assert result["content"] == "sun in Oslo"


def test_the_text_of_a_failed_tool_is_not_sent(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "ferroscope.web")
    call = Answer(ToolCalls(ToolCall("weather", {"city": "Oslo"}, id="call_a12345")))
    stream = start(caller, call, tools=[weather])

    async def asteps() -> AsyncIterator[Any]:
        yield stream
        yield ToolOutput(stream.construct_call_response().tools[0], RuntimeError("postgres://user:s3cret@db"))

    def steps() -> Iterator[Any]:
        yield stream
        yield ToolOutput(stream.construct_call_response().tools[0], RuntimeError("postgres://user:s3cret@db"))

    shown = collect(caller, sse(steps() if caller.kind == "sync" else asteps())).decode()
    assert '"type":"tool-output-error"' in shown
    assert '"errorText":"The tool failed."' in shown
    assert "s3cret" not in shown
    assert "postgres" in caplog.text


def test_an_output_without_its_call_is_an_error(server: ProviderServer) -> None:
    from ferroscope import BaseTool

    class Nothing(BaseTool):
        """Nothing."""

        def call(self) -> str:
            return ""

    shown = b"".join(sse(iter([ToolOutput(Nothing(), "x")]))).decode()
    assert '"type":"error"' in shown


def test_an_event_is_one_item_per_read(server: ProviderServer) -> None:
    """A burst of events is one item, so that a server sends it at once."""
    openai = pytest.importorskip("ferroscope.core.openai")
    client = pytest.importorskip("openai").OpenAI(api_key="k", base_url=server.base_url("openai"))
    server.reply(Answer(Text("word " * 1000, 1000)))

    @openai.call("gpt-4o-mini", stream=True, client=client)
    def ask() -> str:
        return "Go on."

    items = list(ask().sse())
    client.close()
    assert b"".join(items).count(b"text-delta") == 1000
    assert len(items) < 200


def test_async_views_of_one_stream_do_not_share_their_numbers(server: ProviderServer) -> None:
    async def nothing() -> AsyncIterator[Any]:
        yield Data("a", 1)

    async def main() -> list[bytes]:
        view = sse(nothing(), first_event=7)
        return [data async for data in view]

    first = asyncio.run(main())[0]
    assert first.startswith(b"id: 7\n")


def test_a_retried_stream_is_one_answer(caller: Caller) -> None:
    pytest.importorskip("tenacity")
    caller.server.reply(Status(503), Answer(Text("word " * 3, 3)))
    stream = caller.call("Go on.", stream=True, retry=2)
    events = [data for _, _, data in parsed(collect(caller, stream.sse()))]
    kinds = [event["type"] for event in events[:-1]]
    assert kinds.count("start") == kinds.count("start-step") == kinds.count("finish") == 1
    assert "".join(event["delta"] for event in events[:-1] if event["type"] == "text-delta") == "word " * 3
