"""`ferroscope.beta.openai` over the real SDK, against a websocket server on loopback with the realtime API's events."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import sys
import types
import wave
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai.resources.realtime", exc_type=ImportError)
websockets = pytest.importorskip("websockets.asyncio.server", exc_type=ImportError)

from ferroscope.beta.openai import (  # noqa: E402
    Context,
    OpenAIRealtimeTool,
    Realtime,
    async_input,
    record,
    record_as_stream,
)
from ferroscope.beta.openai.realtime.realtime import NotSet  # noqa: E402
from ferroscope.errors import APIError, MissingExtraError  # noqa: E402

pytestmark = pytest.mark.timeout(20)

PAGE = Path(__file__).parents[3] / "docs/realtime.md"
PCM = bytes(range(256)) * 10


def wav(pcm: bytes = PCM, rate: int = 24_000) -> io.BytesIO:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm)
    file.seek(0)
    return file


def frames(file: io.BytesIO) -> bytes:
    with wave.open(file) as reader:
        found: bytes = reader.readframes(reader.getnframes())
        return found


Reply = Callable[[int], list[dict[str, Any]]]


class Server:
    """A server that answers the n-th `response.create` with the events that a function returns."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.received: list[dict[str, Any]] = []
        self.path = ""
        self.key: str | None = None
        self.closes_after = -1
        self.committed: dict[str, Any] = {"type": "input_audio_buffer.committed", "event_id": "e", "item_id": "i"}

    async def serve(self, connection: Any) -> None:
        self.path, self.key = connection.request.path, connection.request.headers.get("Authorization")
        await connection.send(
            json.dumps({"type": "session.created", "event_id": "e0", "session": {"type": "realtime"}})
        )
        responses = 0
        async for text in connection:
            event = json.loads(text)
            self.received.append(event)
            if event["type"] == "input_audio_buffer.commit":
                await connection.send(json.dumps(self.committed))
            if event["type"] == "response.create":
                for answer in self.reply(responses):
                    await connection.send(json.dumps({"event_id": "e", **answer}))
                responses += 1
                if responses == self.closes_after:
                    return

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.received if event["type"] == kind]


def part(kind: str, **values: Any) -> dict[str, Any]:
    place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    return {"type": kind, **place, **values}


def done(*output: dict[str, Any], status: str = "completed", **values: Any) -> dict[str, Any]:
    response = {"id": "r", "object": "realtime.response", "status": status, "output": list(output), **values}
    return {"type": "response.done", "response": response}


def call_of(name: str, arguments: str, call_id: str = "c1") -> dict[str, Any]:
    return {"type": "function_call", "id": "i", "call_id": call_id, "name": name, "arguments": arguments}


def text_answer(*pieces: str) -> list[dict[str, Any]]:
    deltas = [part("response.output_text.delta", delta=piece) for piece in pieces]
    return [*deltas, part("response.output_text.done", text="".join(pieces)), done()]


def voice_answer() -> list[dict[str, Any]]:
    halves = [base64.b64encode(half).decode() for half in (PCM[:1000], PCM[1000:])]
    return [
        *[part("response.output_audio.delta", delta=half) for half in halves],
        part("response.output_audio_transcript.delta", delta="Hel"),
        part("response.output_audio_transcript.delta", delta="lo"),
        part("response.output_audio.done"),
        part("response.output_audio_transcript.done", transcript="Hello"),
        done(),
    ]


@pytest.fixture
async def start(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    running: list[Any] = []

    async def begin(reply: Reply = lambda number: text_answer("Hi", " you")) -> Server:
        server = Server(reply)
        listening = await websockets.serve(server.serve, "127.0.0.1", 0)
        running.append(listening)
        port = listening.sockets[0].getsockname()[1]
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "test-key")
        return server

    yield begin
    for listening in running:
        listening.close()
        await listening.wait_closed()


async def test_the_example_of_the_page_runs(
    start: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await start(tool_then_text)
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    monkeypatch.setattr("sys.stdin", io.StringIO("Weather?\n\n"))
    code = compile(example, "realtime.md", "exec", dont_inherit=True)
    await asyncio.to_thread(exec, code, {"__name__": "page"})
    assert capsys.readouterr().out.endswith("Sunny.\nMessage (empty ends): ")


def messages(*items: Any) -> Callable[[Context], Awaitable[Any]]:
    """A sender of the items, one per call."""
    left = list(items)

    async def send(context: Context) -> Any:
        return left.pop(0) if left else None

    return send


async def test_a_conversation_by_text(start: Any) -> None:
    server = await start(lambda number: text_answer("Hi", f" {number}"))
    app = Realtime("gpt-realtime", modalities=["text"], instructions="Be brief.", context={"seen": []})
    app.sender(wait_for_text_response=True)(messages("One", "Two"))

    @app.receiver("text")
    async def receive(response: str, context: Context) -> None:
        assert app.is_running()
        context["seen"].append(response)

    @app.receiver("text_chunk")
    async def receive_chunk(response: dict[str, Any], context: Context) -> None:
        assert response["type"] == "response.output_text.delta"
        context["seen"].append(response["delta"])

    assert not app.is_running()
    await app.run()
    assert not app.is_running()
    assert app.context["seen"] == ["Hi", " 0", "Hi 0", "Hi", " 1", "Hi 1"]
    assert (server.path, server.key) == ("/v1/realtime?model=gpt-realtime", "Bearer test-key")
    assert server.received[0]["session"] == {
        "type": "realtime",
        "output_modalities": ["text"],
        "instructions": "Be brief.",
    }
    kinds = [event["type"] for event in server.received[1:]]
    assert kinds == ["conversation.item.create", "response.create"] * 2
    assert server.received[1]["item"] == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "One"}],
    }


async def test_a_message_waits_until_the_response_before_it_is_complete(start: Any) -> None:
    order: list[str] = []

    def reply(number: int) -> list[dict[str, Any]]:
        order.append(f"response {number}")
        return text_answer("Hi")

    server = await start(reply)
    app = Realtime("gpt-realtime")
    app.sender()(messages("One", "Two", "Three"))
    await app.run()
    assert order == ["response 0", "response 1", "response 2"]
    assert len(server.of_type("conversation.item.create")) == 3


async def test_a_conversation_by_voice(start: Any) -> None:
    pytest.importorskip("pydub", exc_type=ImportError)
    server = await start(lambda number: voice_answer())
    app = Realtime("gpt-realtime", modalities=["text", "audio"], voice="marin", input_audio_transcription="whisper-1")
    app.sender(wait_for_audio_transcript_response=True)(messages(wav()))
    seen: list[Any] = []

    @app.receiver("audio")
    async def receive(response: Any, context: Context) -> None:
        seen.append((response.raw_data, response.frame_rate, response.channels))

    @app.receiver("audio_chunk")
    async def receive_chunk(response: dict[str, Any], context: Context) -> None:
        seen.append(base64.b64decode(response["delta"]))

    @app.receiver("audio_transcript")
    async def receive_transcript(response: str, context: Context) -> None:
        seen.append(response)

    await app.run()
    assert seen == [PCM[:1000], PCM[1000:], (PCM, 24_000, 1), "Hello"]
    assert server.received[0]["session"] == {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {"output": {"voice": "marin"}, "input": {"transcription": {"model": "whisper-1"}}},
    }
    (item,) = server.of_type("conversation.item.create")
    assert item["item"]["content"] == [{"type": "input_audio", "audio": base64.b64encode(PCM).decode()}]


async def test_audio_in_another_form_is_converted(start: Any) -> None:
    pytest.importorskip("pydub", exc_type=ImportError)
    server = await start()
    app = Realtime("gpt-realtime")
    app.sender()(messages(wav(PCM, rate=48_000)))
    await app.run()
    sent = base64.b64decode(server.of_type("conversation.item.create")[0]["item"]["content"][0]["audio"])
    assert len(sent) == pytest.approx(len(PCM) / 2, abs=4)


async def test_audio_that_turn_detection_has_committed_needs_no_response(start: Any) -> None:
    server = await start()
    error = {
        "message": "The buffer is empty.",
        "type": "invalid_request_error",
        "code": "input_audio_buffer_commit_empty",
    }
    server.committed = {"type": "error", "event_id": "e", "error": error}
    app = Realtime("gpt-realtime")

    @app.sender()
    async def send(context: Context) -> AsyncGenerator[io.BytesIO, None]:
        yield wav()

    await app.run()
    assert len(server.of_type("input_audio_buffer.commit")) == 1
    assert server.of_type("response.create") == []


async def test_the_texts_of_a_generator_get_one_response(start: Any) -> None:
    server = await start()
    app = Realtime("gpt-realtime")

    @app.sender(wait_for_text_response=True)
    async def send(context: Context) -> AsyncGenerator[Any, None]:
        yield "One"
        yield "Two", [weather]

    await app.run()
    assert len(server.of_type("conversation.item.create")) == 2
    (asked,) = server.of_type("response.create")
    assert [tool["name"] for tool in asked["response"]["tools"]] == ["weather"]


async def test_an_application_runs_once_at_a_time(start: Any) -> None:
    await start()
    app = Realtime("gpt-realtime")

    @app.sender()
    async def send(context: Context) -> None:
        with pytest.raises(RuntimeError, match="Already running"):
            await app.run()

    await app.run()


async def test_audio_of_a_generator_is_committed_without_turn_detection(start: Any) -> None:
    server = await start()
    app = Realtime("gpt-realtime", turn_detection=None, input_audio_format="pcm16", output_audio_format="g711_ulaw")

    @app.sender()
    async def send(context: Context) -> AsyncGenerator[io.BytesIO, None]:
        yield wav(PCM[:100])
        yield wav(PCM[100:])

    await app.run()
    kinds = [event["type"] for event in server.received[1:]]
    append = "input_audio_buffer.append"
    assert kinds == [append, append, "input_audio_buffer.commit", "response.create"]
    assert b"".join(base64.b64decode(event["audio"]) for event in server.of_type(append)) == PCM
    assert server.received[0]["session"]["audio"] == {
        "input": {"turn_detection": None, "format": {"type": "audio/pcm", "rate": 24_000}},
        "output": {"format": {"type": "audio/pcmu"}},
    }


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sun in {city}"


def tool_then_text(number: int) -> list[dict[str, Any]]:
    if number:
        return text_answer("Sunny.")
    delta = part("response.function_call_arguments.delta", call_id="c1", delta='{"city"')
    return [delta, done(call_of("weather", '{"city": "Oslo"}'), call_of("weather", '{"town": "Rome"}', "c2"))]


@pytest.mark.parametrize("where", ["session", "sender", "message", "handler"])
async def test_tools_are_called_and_answered_once(start: Any, where: str) -> None:
    server = await start(tool_then_text)
    app = Realtime("gpt-realtime", tools=[weather] if where == "session" else NotSet)
    message = ("Weather?", [weather]) if where == "message" else "Weather?"
    app.sender(wait_for_text_response=True, tools=[weather] if where == "sender" else None)(messages(message))
    seen: list[Any] = []

    @app.function_call(weather)
    async def handle(tool: Any, context: Context) -> str:
        assert isinstance(tool, OpenAIRealtimeTool)
        seen.append((tool.id, tool.args))
        return str(tool.call())

    @app.receiver("tool_chunk")
    async def receive_chunk(response: dict[str, Any], context: Context) -> None:
        seen.append(response["delta"])

    @app.receiver("text")
    async def receive(response: str, context: Context) -> None:
        seen.append(response)

    await app.run()
    assert seen == ['{"city"', ("c1", {"city": "Oslo"}), "Sunny."]
    outputs = [event["item"] for event in server.of_type("conversation.item.create")[1:]]
    assert outputs[0] == {"type": "function_call_output", "call_id": "c1", "output": "sun in Oslo"}
    assert outputs[1]["call_id"] == "c2"
    assert outputs[1]["output"].startswith("Error: 2 validation errors") or "city" in outputs[1]["output"]
    asked = server.of_type("response.create")
    assert len(asked) == 2
    if where in ("sender", "message"):
        assert [tool["name"] for tool in asked[0]["response"]["tools"]] == ["weather"]
    if where != "sender":
        (schema,) = server.received[0]["session"]["tools"]
        assert schema["description"] == "Return the weather of a city."
        assert schema["parameters"]["required"] == ["city"]


async def test_an_error_of_the_server_ends_the_run(start: Any) -> None:
    error = {"message": "Bad voice.", "type": "invalid_request_error", "code": "bad_voice"}
    await start(lambda number: [{"type": "error", "error": error}])
    app = Realtime("gpt-realtime")
    app.sender()(messages("Hi"))
    with pytest.raises(APIError, match=r"Bad voice\. \(bad_voice\)"):
        await app.run()
    assert not app.is_running()


async def test_a_failed_response_is_an_error(start: Any) -> None:
    details = {"type": "failed", "error": {"type": "server_error", "code": "overloaded"}}
    await start(lambda number: [done(status="failed", status_details=details)])
    app = Realtime("gpt-realtime")
    app.sender()(messages("Hi"))
    with pytest.raises(APIError, match="'gpt-realtime' failed: overloaded"):
        await app.run()


async def test_an_exception_of_a_receiver_ends_the_run(start: Any) -> None:
    await start()
    app = Realtime("gpt-realtime")
    app.sender()(messages("Hi"))

    @app.receiver("text")
    async def receive(response: str, context: Context) -> None:
        raise LookupError(response)

    with pytest.raises(LookupError, match="Hi you"):
        await app.run()


async def test_a_closed_connection_ends_the_run(start: Any) -> None:
    server = await start()
    server.closes_after = 1
    app = Realtime("gpt-realtime")

    @app.sender(wait_for_text_response=True)
    async def send(context: Context) -> str:
        if server.of_type("response.create"):
            await asyncio.Event().wait()
        return "Hi"

    await app.run()
    assert len(server.of_type("response.create")) == 1


async def test_a_message_of_another_type_is_refused(start: Any) -> None:
    await start()
    app = Realtime("gpt-realtime")
    app.sender()(messages(3))
    with pytest.raises(TypeError, match="`send` returned int"):
        await app.run()


def test_options_that_the_api_no_longer_has_are_reported() -> None:
    with pytest.warns(UserWarning, match="`temperature` is not sent"):
        app = Realtime("gpt-realtime", temperature=0.5, max_response_output_tokens=float("inf"))
    assert app.session() == {"type": "realtime", "max_output_tokens": "inf"}
    with pytest.raises(ValueError, match="'pcm16', 'g711_ulaw', 'g711_alaw', not 'mp3'"):
        Realtime("gpt-realtime", input_audio_format="mp3")
    with pytest.raises(ValueError, match="not 'video'"):
        app.receiver("video")  # type: ignore[arg-type]


async def test_an_sdk_without_the_api_is_reported() -> None:
    app = Realtime("gpt-realtime", client=types.SimpleNamespace())
    with pytest.raises(MissingExtraError, match="only the beta of the realtime API"):
        await app.run()


def test_a_tool_by_hand_and_from_a_call() -> None:
    tool_type = OpenAIRealtimeTool.type_from_fn(weather)
    assert tool_type.tool_schema()["name"] == "weather"
    assert tool_type(city="Oslo").id is None  # type: ignore[call-arg]
    tool = tool_type.from_tool_call({"call_id": "c", "arguments": '{"city": "Oslo"}'})
    assert (tool.id, tool.call(), tool.tool_call) == (
        "c",
        "sun in Oslo",
        {"call_id": "c", "arguments": '{"city": "Oslo"}'},
    )


class Microphone:
    """A device in place of the machine's: it passes two blocks as soon as it is opened."""

    def __init__(self, **options: Any) -> None:
        assert (options["samplerate"], options["channels"], options["dtype"]) == (24_000, 1, "int16")
        self.callback = options["callback"]

    def __enter__(self) -> Microphone:
        for block in (PCM[:100], PCM[100:]):
            self.callback(memoryview(block), len(block) // 2, None, None)
        return self

    def __exit__(self, *exc_info: object) -> None: ...


@pytest.fixture
def microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = types.ModuleType("sounddevice")
    module.__spec__ = __import__("importlib.machinery", fromlist=["x"]).ModuleSpec("sounddevice", None)
    module.RawInputStream = Microphone
    monkeypatch.setitem(sys.modules, "sounddevice", module)


async def test_a_recording_is_a_wav_file(microphone: None) -> None:
    async def stop() -> None: ...

    assert frames(await record(stop)) == PCM


async def test_a_streamed_recording_ends_with_its_event(microphone: None) -> None:
    seen: list[bytes] = []
    enough = asyncio.Event()
    async for file in record_as_stream(enough.wait):
        seen.append(frames(file))
        if len(seen) == 2:
            enough.set()
    assert b"".join(seen) == PCM


async def test_a_recording_without_the_package_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match=r"ferroscope\[realtime\]"):
        await record(asyncio.Event().wait)


async def test_input_from_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello\n"))
    assert await async_input("Message: ") == "Hello"
    assert capsys.readouterr().out == "Message: "
