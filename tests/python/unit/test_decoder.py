"""The core's decoder as Python sees it: what an event shows, how the iteration goes on, what errors say."""

import json
from base64 import b64encode
from collections.abc import Iterable

import pytest

from ferroscope._core import DecodeError, Event, StreamDecoder, ToolCallDelta
from ferroscope.testing._wires.aws_event_stream import frame

Call = tuple[int, str | None, str, str]
Seen = list[tuple[str, bytes, object, object]]


def say(text: str) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}, ensure_ascii=False)


def call(fragment: dict[str, object]) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [fragment]}}]})


def framed(*events: str) -> bytes:
    return "".join(f"data: {event}\n\n" for event in events).encode()


def tuples(calls: list[ToolCallDelta] | None) -> list[Call] | None:
    """Calls as position, id, name and arguments."""
    return None if calls is None else [(call.position, call.id, call.name, call.arguments) for call in calls]


def shown(events: Iterable[Event]) -> Seen:
    return [(event.content, event.data, tuples(event.tool_calls), tuples(event.fragments)) for event in events]


def test_the_iteration_stops_for_more_bytes_and_goes_on():
    decoder = StreamDecoder()
    body = framed(say("Hel"), say("lo"))

    decoder.feed(body[:20])
    assert shown(decoder) == []
    assert (decoder.content, decoder.done) == ("", False)

    decoder.feed(body[20:])
    first = next(decoder)
    assert (first.content, decoder.content) == ("Hel", "Hel"), "what is not iterated over is not there yet"
    assert [event.content for event in decoder] == ["lo"]

    decoder.feed(b"data: [DONE]\n\n")
    assert shown(decoder) == []
    assert (decoder.content, decoder.done) == ("Hello", True)
    with pytest.raises(StopIteration):
        next(decoder)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b'data: {"a": 1}\n\n', b'{"a": 1}'),
        (b'data:{"a": 1}\r\n\r\n', b'{"a": 1}'),
        (b'\xef\xbb\xbf: hi\n\nevent: x\ndata: {"a": 1}\nid: 7\n\n', b'{"a": 1}'),
        (b'data: {\ndata: "a": 1\ndata: }\n\n', b'{\n"a": 1\n}'),
        (b'data: {"a": "\xff"}\n\n', b'{"a": "\xef\xbf\xbd"}'),
        ('data: {"a": "é😀\u2028"}\n\n'.encode(), '{"a": "é😀\u2028"}'.encode()),
    ],
)
def test_an_event_shows_its_data_however_the_body_was_read(body: bytes, data: bytes):
    for size in range(1, len(body) + 1):
        decoder = StreamDecoder()
        events = []
        for start in range(0, len(body), size):
            decoder.feed(body[start : start + size])
            events += list(decoder)
        assert shown(events) == [("", data, None, None)], size


def test_an_event_outlives_its_read_and_its_decoder():
    decoder = StreamDecoder()
    decoder.feed(framed(say("one")))
    event = next(decoder)
    decoder.feed(b"x" * 1000)
    del decoder
    assert (event.content, event.data) == ("one", say("one").encode())


def test_tool_calls_come_as_fragments_and_when_they_are_complete():
    decoder = StreamDecoder()
    decoder.feed(
        framed(
            call({"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}),
            call({"index": 0, "function": {"arguments": '{"a":'}}),
            call({"index": 1, "id": "c2", "function": {"name": "now", "arguments": ""}}),
            call({"index": 0, "function": {"arguments": "1}"}}),
        )
    )
    seen = [(tuples(event.tool_calls), tuples(event.fragments)) for event in decoder]
    assert seen == [
        (None, None),
        (None, [(0, "c1", "add", '{"a":')]),
        (None, None),
        ([(0, "c1", "add", '{"a":1}')], [(0, "c1", "add", "1}")]),
    ]
    assert tuples(decoder.tool_calls) == [(0, "c1", "add", '{"a":1}'), (1, "c2", "now", "")]

    decoder.feed(b"data: [DONE]\n\n")
    assert shown(decoder) == [("", b"", [(1, "c2", "now", "")], None)]


def test_a_call_is_a_value_with_named_fields():
    fragment = call({"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"a":'}})
    [first], [second] = (StreamDecoder().feed_event(fragment).fragments or [] for _ in range(2))
    assert (first, hash(first)) == (second, hash(second))
    assert repr(first) == """ToolCallDelta(position=0, id='c1', name='add', arguments='{"a":')"""
    match first:
        case ToolCallDelta(position, call_id, name, arguments):
            assert (position, call_id, name, arguments) == (0, "c1", "add", '{"a":')
    assert first != StreamDecoder().feed_event(fragment.replace("c1", "c2")).fragments
    assert first != (0, "c1", "add", '{"a":')
    with pytest.raises(AttributeError):
        first.name = "sub"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_call_without_an_id_has_none():
    decoder = StreamDecoder()
    event = decoder.feed_event(call({"function": {"name": "now", "arguments": '{"a":1}'}}))
    assert tuples(event.tool_calls) == [(0, None, "now", '{"a":1}')]


def test_the_response_is_there_at_any_time():
    decoder = StreamDecoder()
    delta = {"role": "assistant", "reasoning": "hm", "content": "Hi"}
    first = {"id": "r1", "created": 5, "model": "m", "choices": [{"index": 0, "delta": delta}]}
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": {"total_tokens": 3}}
    decoder.feed(framed(json.dumps(first), json.dumps(last)))
    next(decoder)
    assert (decoder.id, decoder.model, decoder.reasoning) == ("r1", "m", "hm")
    assert (decoder.finish_reasons, decoder.usage) == ([], None)
    next(decoder)
    assert (decoder.finish_reasons, decoder.usage) == (["stop"], b'{"total_tokens": 3}')
    assert json.loads(decoder.response()) == {
        "id": "r1",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "reasoning": "hm"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"total_tokens": 3},
    }


@pytest.mark.parametrize("keeps", [0, 1, 2, 100])
def test_content_read_earlier_stays_as_it_was(keeps: int):
    decoder = StreamDecoder()
    letters = ["a", "h\xe4\xdf", "\u65e5\u672c", "\N{ROCKET}"]
    words = [f"{number} {letters[number * number % 7 % 4]} " for number in range(60)]
    kept: list[tuple[str, str]] = []
    for number, word in enumerate(words, 1):
        decoder.feed_event(say(word))
        kept.append((decoder.content, "".join(words[:number])))
        assert decoder.content is decoder.content, "nothing was added"
        assert [text for text, _ in kept] == [expected for _, expected in kept]
        del kept[: max(0, len(kept) - keeps)]
    assert decoder.content == "".join(words)


def test_a_plain_body_is_read_at_once():
    message = {"role": "assistant", "content": "Hi", "refusal": None}
    body = {"id": "r1", "object": "chat.completion", "created": 5, "model": "m", "usage": None, "x": [1]}
    body["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
    decoder = StreamDecoder()
    event = decoder.feed_body(json.dumps(body))
    assert (event.content, decoder.content, decoder.done) == ("Hi", "Hi", True)
    del message["refusal"]
    assert json.loads(decoder.response()) == body


def test_where_a_service_puts_reasoning_and_usage_is_told_to_the_decoder():
    decoder = StreamDecoder(reasoning=["thoughts"], usage_in="meter")
    decoder.feed_event('{"choices":[{"delta":{"thoughts":"a","reasoning":"b"}}],"meter":{"usage":{"t":1}}}')
    assert (decoder.reasoning, decoder.usage) == ("a", b'{"t":1}')


def test_an_unknown_dialect_is_refused():
    with pytest.raises(ValueError, match='unknown dialect "smalltalk"; use one of anthropic, bedrock_converse, cohere'):
        StreamDecoder("smalltalk")


def test_a_decoder_is_told_its_framing_before_the_first_bytes():
    decoder = StreamDecoder("anthropic")
    assert decoder.framing == "sse"
    decoder.framing = "aws_event_stream"
    assert decoder.framing == StreamDecoder(framing="aws_event_stream").framing == "aws_event_stream"

    data = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}'
    message = frame("event", "chunk", {"bytes": b64encode(data).decode(), "p": "abc"})
    decoder.feed(message[:30])
    assert shown(decoder) == []
    decoder.feed(message[30:])
    assert shown(decoder) == [("Hi", data, None, None)]
    assert (decoder.content, decoder.events) == ("Hi", 1)

    with pytest.raises(ValueError, match="the framing cannot be changed after the body has begun"):
        decoder.framing = "sse"


def test_an_unknown_framing_is_refused():
    with pytest.raises(ValueError, match='unknown framing "morse"; use one of sse, aws_event_stream'):
        StreamDecoder(framing="morse")  # type: ignore[arg-type]


def test_an_error_in_a_frame_is_the_providers():
    decoder = StreamDecoder("anthropic", framing="aws_event_stream")
    decoder.feed(frame("exception", "throttlingException", {"message": "Too many tokens"}))
    with pytest.raises(DecodeError) as caught:
        next(decoder)
    words = "event 1 (byte 0): throttlingException: Too many tokens"
    body = '{"type":"error","error":{"type":"throttlingException","message":"Too many tokens"}}'
    assert caught.value.args == ("provider", words, 1, 0, body)


@pytest.mark.parametrize(
    ("body", "args"),
    [
        (
            b'data: {"error":{"message":"Overloaded"}}\n\n',
            ("provider", "event 1 (byte 6): Overloaded", 1, 6, '{"message":"Overloaded"}'),
        ),
        (
            b'event: error\ndata: {"message":"Bad"}\n\n',
            ("provider", "event 1 (byte 19): Bad", 1, 19, '{"message":"Bad"}'),
        ),
        (
            b'{"error":{"message":"No such model"}}',
            ("provider", "No such model", 0, 37, '{"message":"No such model"}'),
        ),
        (
            b"data: {}\n\ndata: {]\n\n",
            (
                "protocol",
                "event 2 (byte 16): data is not JSON: unexpected ']' at byte 1 of \"{]\"",
                2,
                16,
                None,
            ),
        ),
        (b"data: [1]\n\n", ("protocol", "event 1 (byte 6): the data is not an object", 1, 6, None)),
        (
            b"<html>Bad Gateway</html>",
            (
                "protocol",
                'the body is not a stream of events; it begins with "<html>Bad Gateway</html>"',
                0,
                24,
                None,
            ),
        ),
    ],
)
def test_errors_say_what_and_where(body: bytes, args: tuple[object, ...]):
    decoder = StreamDecoder()
    decoder.feed(body)
    decoder.finish()
    with pytest.raises(DecodeError) as caught:
        list(decoder)
    assert caught.value.args == args
    assert list(decoder) == [], "it is said once"


LONG = say("x" * 100)


@pytest.mark.parametrize(
    ("limits", "events", "message", "place"),
    [
        ({"event_bytes": 80}, [say("a"), LONG], "the size of an event exceeds the limit of 80", (2, 62)),
        (
            {"response_bytes": 100},
            [say("a")] * 2,
            "the size of the response exceeds the limit of 100",
            (2, 68),
        ),
        (
            {"tool_calls": 1},
            [call({"index": index, "id": str(index), "function": {"name": "f"}}) for index in range(2)],
            "the number of tool calls exceeds the limit of 1",
            (2, 120),
        ),
        (
            {"choices": 1},
            ['{"choices":[{"index":0},{"index":1}]}'],
            "the number of choices exceeds the limit of 1",
            (1, 6),
        ),
        ({"depth": 2}, ['{"x":[]}', '{"x":[[]]}'], "the nesting of JSON exceeds the limit of 2", (2, 22)),
    ],
)
def test_every_limit_can_be_set_and_strikes(
    limits: dict[str, int], events: list[str], message: str, place: tuple[int, int]
):
    decoder = StreamDecoder(**limits)
    decoder.feed(framed(*events))
    with pytest.raises(DecodeError) as caught:
        list(decoder)
    event, byte = place
    assert caught.value.args == ("limit", f"event {event} (byte {byte}): {message}", event, byte, None)


def test_a_limit_below_zero_is_refused():
    with pytest.raises(OverflowError):
        StreamDecoder(event_bytes=-1)
