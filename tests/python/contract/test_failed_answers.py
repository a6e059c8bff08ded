"""Answers that failed or were cut off: no ordinary end and no runnable call, in streams and whole answers alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ferroscope import errors
from ferroscope.testing import Answer, Replay, ToolCall
from ferroscope.testing._wires.aws_event_stream import frame

from .conftest import Caller

CORPUS = Path(__file__).parents[2] / "corpus"


def weather(city: str) -> str:
    """Return the weather."""
    return city


def time() -> str:
    """Return the time."""
    return "now"


def lookup(a: int) -> int:
    """Return a number."""
    return a


def w(a: int = 0, city: str = "", n: int = 0) -> str:
    """Return nothing of use."""
    return f"{a}{city}{n}"


def v(a: int = 0) -> int:
    """Return a number."""
    return a


TOOLS = [weather, time, lookup, w, v]

# The finish reason, the same in common words, the tools that the stream yields before it fails, and the call that is
# refused in the stream and in the whole answer. Of cut arguments, a whole answer may have a part that is complete.
Case = tuple[str, list[str] | None, list[str], str | None, str | None]
CASES: dict[str, dict[str, Case]] = {
    "google": {
        "malformed_call": ("MALFORMED_FUNCTION_CALL", None, [], None, None),
        "malformed_call_that_is_there": ("MALFORMED_FUNCTION_CALL", None, [], "w", "w"),
        "malformed_call_in_pieces": ("MALFORMED_FUNCTION_CALL", None, [], "w", "w"),
        "unexpected_call": ("UNEXPECTED_TOOL_CALL", None, [], None, None),
        "call_then_blocked": ("PROHIBITED_CONTENT", ["content_filter"], [], "w", "w"),
        "blocked_prompt": ("PROHIBITED_CONTENT", ["content_filter"], [], None, None),
        "blocked_by_safety": ("SAFETY", ["content_filter"], [], None, None),
        "blocked_by_recitation": ("RECITATION", ["content_filter"], [], None, None),
        "tool_in_pieces_cut_by_max_tokens": ("MAX_TOKENS", ["length"], ["v"], "w", "w"),
        "tool_in_pieces_without_the_last_piece": ("STOP", ["tool_calls"], ["w"], None, None),
        "max_tokens_without_content": ("MAX_TOKENS", ["length"], [], None, None),
    },
    "cohere": {
        "tool_cut_by_timeout": ("TIMEOUT", None, ["weather"], "weather", "weather"),
        "tool_cut_by_max_tokens": ("MAX_TOKENS", ["length"], [], "weather", "weather"),
    },
    "bedrock": {
        "tool_malformed": ("malformed_tool_use", None, [], "weather", "weather"),
        "tool_cut_by_max_tokens": ("max_tokens", ["length"], [], "weather", None),
        "guardrail": ("guardrail_intervened", ["content_filter"], [], "weather", "weather"),
        "guardrail_without_trace": ("guardrail_intervened", ["content_filter"], [], None, None),
    },
    "openai-responses": {
        "incomplete_tool": ("max_output_tokens", ["length"], [], "lookup", "lookup"),
        "incomplete_content_filter": ("content_filter", ["content_filter"], [], None, None),
    },
}
WIRES = {
    "google": "gemini",
    "bedrock": "bedrock_converse",
    "openai-responses": "openai_responses",
}


def recording(path: Path) -> bytes:
    """Return a stream of the corpus; an event in each line is put into a frame."""
    if (source := path.with_suffix(".sse")).exists():
        return source.read_bytes()
    events = [json.loads(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
    return b"".join(frame("event", *item) for event in events for item in event.items())


def read(caller: Caller, stream: Any) -> tuple[list[str], Exception | None]:
    """Return the names of the tools of a stream, and the error that it ends in."""
    found: list[str] = []

    async def consume() -> None:
        async for _, tool in stream:
            found.extend([tool._name()] if tool else [])

    try:
        if caller.kind == "async":
            caller.await_(consume())
        else:
            for _, tool in stream:
                found.extend([tool._name()] if tool else [])
    except errors.ToolArgumentsError as error:
        return found, error
    return found, None


def check(answer: Any, reason: str, common: list[str] | None, refused: str | None, called: list[str]) -> None:
    assert (answer.finish_reasons, answer.common_finish_reasons) == ([reason], common)
    assert answer.response is not None
    if refused:
        with pytest.raises(errors.ToolArgumentsError, match=refused) as caught:
            _ = answer.tools
        assert caught.value.name == refused
    else:
        assert [tool._name() for tool in answer.tools or ()] == called


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_a_failed_answer_is_no_ordinary_end_and_no_runnable_call(caller: Caller, stream: bool) -> None:
    cases = CASES.get(caller.row.label)
    if cases is None:
        pytest.skip("one provider for each wire")
    for name, (reason, common, called, refused, refused_whole) in cases.items():
        path = CORPUS / WIRES.get(caller.row.label, caller.row.label) / name
        caller.server.reply(Replay(recording(path), body=path.with_suffix(".json")))
        if not stream:
            whole = caller.call(tools=TOOLS)
            check(whole, reason, common, refused_whole, called if refused is None else [refused])
            continue
        made = caller.call(tools=TOOLS, stream=True)
        found, error = read(caller, made)
        assert found == called, name
        assert getattr(error, "name", None) == refused, name
        check(made.construct_call_response(), reason, common, refused, called)


# The reasons after which even complete calls are not run. Google's test server sends calls whole in one event.
FAILURES = {
    "openai": "error",
    "groq": "error",
    "mistral": "error",
    "xai": "error",
    "azure": "error",
    "azure-inference": "error",
    "google": "SAFETY",
    "cohere": "ERROR",
    "bedrock": "guardrail_intervened",
}


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
def test_a_complete_call_of_a_failed_answer_is_refused(caller: Caller, stream: bool) -> None:
    if caller.row.label not in FAILURES:
        pytest.skip("no finish reason for a failure")
    reason = FAILURES[caller.row.label]
    caller.server.reply(Answer(ToolCall("lookup", {"a": 1}, "t1"), finish=reason))
    answer = caller.call(tools=TOOLS, stream=stream)
    if stream:
        _, error = read(caller, answer)
        assert isinstance(error, errors.ToolArgumentsError)
        assert error.partial.finish_reasons == [reason]  # type: ignore[attr-defined]  # as on a StreamError
        answer = answer.construct_call_response()
    assert answer.finish_reasons == [reason]
    assert answer.common_finish_reasons in (None, ["content_filter"])
    with pytest.raises(errors.ToolArgumentsError, match=f"lookup.*{reason}"):
        _ = answer.tools
