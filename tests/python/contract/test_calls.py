"""Calls without streaming."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.core.base import BaseMessageParam, Messages, TextPart, metadata, prompt_template
from ferroscope.testing import Answer, Body, Garbage, Text, Usage

from .conftest import Caller, text_of


def test_a_response_says_what_the_model_said(caller: Caller) -> None:
    caller.server.reply(Answer(Text("Hello there."), usage=Usage(9, 3, cached=4), model="the-model-2026"))
    response = caller.call("Say hello")
    assert (response.content, str(response)) == ("Hello there.", "Hello there.")
    assert response.finish_reasons == [caller.wire.finish("stop")]
    assert response.common_finish_reasons == ["stop"]
    assert response.model == ("the-model-2026" if caller.wire.names_model else caller.row.model)
    assert response.id
    sent = 9 if caller.wire.counts_cached else 5
    cached = 4 if caller.wire.reports_cached else None
    assert (response.input_tokens, response.cached_tokens, response.output_tokens) == (sent, cached, 3)
    assert response.common_usage.model_dump() == {
        "input_tokens": sent,
        "cached_tokens": cached or 0,
        "output_tokens": 3,
        "total_tokens": sent + 3,
    }
    assert response.provider == caller.row.name
    assert response.tools is None
    assert response.tool is None
    assert 0 < response.start_time <= response.end_time
    answer = response.common_message_param
    assert (answer.role, text_of(answer)) == ("assistant", "Hello there.")
    assert response.common_user_message_param == BaseMessageParam(role="user", content="Say hello")


NO_RESPONSES: dict[str, tuple[Any, str]] = {
    "a page": (Garbage("html"), "begins with '<!doctype html>"),
    "other JSON": (Body(["no", "answer"]), r"begins with '\[\"no\", \"answer\"\]'"),
    "half of it": (Body(b'{"id": "1", '), 'begins with \'{"id": "1", \''),
    "nothing": (Body(b""), "is empty"),
}


@pytest.mark.parametrize(("answer", "says"), NO_RESPONSES.values(), ids=NO_RESPONSES)
def test_a_body_that_is_no_response_is_an_error_that_shows_it(caller: Caller, answer: Any, says: str) -> None:
    caller.server.reply_always(answer)
    with pytest.raises(errors.APIError) as caught:
        caller.call("Say hello")
    # Some SDKs have an error for it.
    if caller.wire.shows_bodies and not isinstance(caught.value, caller.wire.error("APIError")):
        place = f"provider '{caller.row.name}', model '{caller.row.model}'"
        assert re.fullmatch(f"the body is not a response; it {says}.*; {place}", str(caught.value))


def test_a_response_remembers_its_call(caller: Caller) -> None:
    @metadata({"tags": {"version:0001"}})
    @prompt_template("Recommend a {genre} book")
    def recommend(genre: str, *, count: int = 1) -> None: ...

    if caller.kind == "async":
        pytest.skip("the same plan; `recommend` would have to be written twice")
    caller.server.reply("Emma")
    response = caller.row.decorator(caller.row.model, call_params={"temperature": 0.5, "seed": None})(recommend)(
        "quiet"
    )
    assert response.fn_args == {"genre": "quiet", "count": 1}
    assert response.prompt_template == "Recommend a {genre} book"
    assert response.metadata == {"tags": {"version:0001"}}
    assert response.call_params == {"temperature": 0.5, "seed": None}
    assert caller.wire.params(response.call_kwargs)["temperature"] == 0.5
    assert "seed" not in caller.wire.params(response.call_kwargs)
    assert response.dynamic_config is None
    assert caller.wire.params(caller.server.requests[-1].json)["temperature"] == 0.5


def test_a_response_dumps_and_pickles(caller: Caller) -> None:
    import pickle

    caller.server.reply(Answer("Hello", usage=Usage(9, 3)))
    response = caller.call("Say hello")
    dumped = response.model_dump()
    computed = {"content", "finish_reasons", "model", "id", "input_tokens", "cached_tokens", "output_tokens"}
    assert computed | {"cost_metadata", "message_param", "response", "metadata", "fn_args"} <= dumped.keys()
    assert dumped["content"] == "Hello"
    assert '"content":"Hello"' in response.model_dump_json()
    assert pickle.loads(pickle.dumps(response)).content == "Hello"


def test_the_output_parser_makes_the_result(caller: Caller) -> None:
    caller.server.reply("Emma, by Jane Austen")
    assert caller.call("Recommend a book", output_parser=lambda response: len(response.content)) == 20


def test_an_output_parser_and_a_stream_exclude_each_other(caller: Caller) -> None:
    with pytest.raises(ValueError, match=r"Cannot use `output_parser` with `stream=True`\."):
        caller.decorate(lambda: "Say hello", stream=True, output_parser=str)


def test_a_shorthand_of_parts_is_one_message(caller: Caller) -> None:
    """v1 sent a list of nothing but parts as messages (D33)."""
    caller.server.reply("ok")
    caller.call(lambda: [TextPart(type="text", text="a"), TextPart(type="text", text="b")])
    (message,) = caller.wire.messages(caller.server.requests[-1].json)
    parts = message["content"] if "content" in message else message["parts"]
    assert (message["role"], [part["text"] for part in parts]) == ("user", ["a", "b"])


def test_dynamic_config_sets_up_this_call_only(caller: Caller) -> None:
    def prompt(first: bool) -> Any:
        if first:
            return {
                "messages": [Messages.System("Be brief"), Messages.User("Hi")],
                "call_params": {"temperature": 0.9},
                "metadata": {"tags": {"first"}},
            }
        return {"messages": [Messages.User("Hi again")]}

    caller.server.reply("one", "two")
    call = caller.decorate(prompt, call_params={"temperature": 0.1, "max_tokens": 5})
    first, second = call(True), call(False)
    bodies = [caller.wire.params(request.json) for request in caller.server.requests[-2:]]
    assert [(body["temperature"], body[caller.wire.max_tokens]) for body in bodies] == [(0.9, 5), (0.1, 5)]
    assert (first.metadata, second.metadata) == ({"tags": {"first"}}, {})


def test_nothing_that_was_handed_in_is_changed(caller: Caller) -> None:
    """v1 wrote computed fields, JSON instructions and stream options into the caller's objects (D20)."""
    params = {"temperature": 0.5, "stop": ["x"]}
    messages = [BaseMessageParam(role="user", content="Say hello as JSON")]
    config = {"messages": messages, "call_params": {"top_p": 0.5}, "computed_fields": {"x": 1}}
    before = (repr(params), repr(messages), repr(config))
    caller.server.reply('{"a": 1}', '{"a": 1}')
    call = caller.decorate(lambda: config, call_params=params, json_mode=True)
    bodies = []
    for _ in range(2):
        call()
        bodies.append(caller.server.requests[-1].json)
    assert (repr(params), repr(messages), repr(config)) == before
    assert bodies[0] == bodies[1]
