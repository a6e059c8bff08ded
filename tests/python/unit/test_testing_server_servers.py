"""OpenAI-compatible servers of the loopback server: each row by the SDK that its users have, and as raw bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import groq
import httpx2
import openai
import pytest
from mistralai.client import Mistral
from mistralai.client import errors as mistral_errors

from ferroscope.testing import (
    CHAT_SERVERS,
    Answer,
    Blocked,
    ChatServer,
    Citation,
    EncryptedReasoning,
    ProviderServer,
    Reasoning,
    Replay,
    SpawnedServer,
    Status,
    StreamError,
    Text,
    ToolCall,
    ToolCalls,
    Usage,
    UsagePlace,
)

ASKED: list[Any] = [{"role": "user", "content": "Hi"}]
WITH_USAGE = {"include_usage": True}
APPENDED = {"groq": "/openai/v1", "mistral": "/v1"}
"""The path that an SDK appends to its base URL, for those that append one."""

ANSWER = Answer(
    Reasoning("Hm. Yes.", signature="U2ln"),
    EncryptedReasoning("RU5D"),
    "It is Oslo.",
    Citation("Oslo", "https://a.example/", "A"),
    ToolCalls(ToolCall("add", {"a": 1}, signature="VG9v"), ToolCall("now", {"b": 2})),
    usage=Usage(100, 30, cached=40, reasoning=9, cost=0.0012),
)


@pytest.fixture(scope="module")
def running() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(running: ProviderServer) -> ProviderServer:
    running.forget()
    return running


def post(server: ProviderServer | SpawnedServer, name: str, **asked: Any) -> httpx2.Response:
    url = server.base_url(name) + APPENDED.get(name, "") + "/chat/completions"
    return httpx2.post(url, json={"model": "m", "messages": ASKED, **asked})


def chunks_of(server: ProviderServer | SpawnedServer, name: str, **asked: Any) -> list[dict[str, Any]]:
    text = post(server, name, stream=True, stream_options=WITH_USAGE, **asked).text
    data = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in data if line != "[DONE]"]


# --- every row ------------------------------------------------------------------------------------


def in_fragments(*indexes: int, opening: bool = True) -> list[list[tuple[int | None, str]]]:
    """Return the deltas of the two calls: index and arguments."""
    fragments = [[""] * opening + [f'{{"{name}', '": ', f"{value}}}"] for name, value in (("a", 1), ("b", 2))]
    return [[(index, piece)] for index, pieces in zip(indexes, fragments, strict=True) for piece in pieces]


@dataclass(frozen=True)
class Shape:
    """The shape of a streamed answer, as far as servers differ in it. The defaults are those of a plain server."""

    roles: str = "first"
    reasoning: str = "reasoning_content"
    calls: list[list[tuple[int | None, str]]] = field(default_factory=lambda: in_fragments(0, 1))
    usage: list[tuple[int, str]] = field(default_factory=lambda: [(-1, "usage")])
    """The chunk, counted from the end, and the member that has usage."""
    finish: list[tuple[int, str]] = field(default_factory=lambda: [(-2, "tool_calls")])
    done: bool = True
    nulls: set[str] = field(default_factory=set)
    """Members of deltas that are null somewhere."""
    comments: int = 0
    citations: str = "annotations"


ONE_EACH: Any = [[(0, '{"a": 1}')], [(1, '{"b": 2}')]]
AT_FINISH: Any = [(-1, "usage")]
LAST: Any = [(-1, "tool_calls")]

SHAPES = {
    "openai": Shape(nulls={"refusal"}),
    "groq": Shape(reasoning="reasoning", calls=ONE_EACH, usage=[(-2, "x_groq.usage"), (-1, "usage")]),
    "xai": Shape(calls=ONE_EACH, citations="top of the last"),
    "mistral": Shape(
        reasoning="content",
        calls=[[(None, '{"a": 1}')], [(None, '{"b": 2}')]],
        usage=AT_FINISH,
        finish=LAST,
        citations="reference",
    ),
    "openrouter": Shape(roles="every", reasoning="reasoning", comments=2),
    "deepseek": Shape(nulls={"content", "reasoning_content"}, usage=AT_FINISH, finish=LAST),
    "together": Shape(roles="every", usage=AT_FINISH, finish=LAST),
    "fireworks": Shape(usage=AT_FINISH, finish=LAST),
    "cerebras": Shape(reasoning="reasoning", calls=ONE_EACH, usage=AT_FINISH, finish=LAST, done=False),
    "perplexity": Shape(
        roles="first and last",
        usage=[(-number, "usage") for number in range(14, 0, -1)],
        finish=LAST,
        done=False,
        citations="top of each",
    ),
    "moonshot": Shape(usage=[(-2, "choices.usage"), (-1, "usage")]),
    "zai": Shape(roles="every", calls=[[(-1, '{"a": 1}')], [(-1, '{"b": 2}')]], usage=AT_FINISH, finish=LAST),
    "nvidia": Shape(),
    "huggingface": Shape(done=False),
    "github": Shape(),
    "vercel": Shape(reasoning="reasoning", usage=AT_FINISH, finish=LAST),
    "ollama": Shape(roles="every", reasoning="reasoning", calls=[[(0, '{"a": 1}'), (1, '{"b": 2}')]]),
    "vllm": Shape(),
    "lmstudio": Shape(roles="every"),
    "llamacpp": Shape(nulls={"content"}, calls=in_fragments(0, 1, opening=False)),
    "google-compat": Shape(roles="every", calls=[[(None, '{"a": 1}')], [(None, '{"b": 2}')]]),
    "anthropic-compat": Shape(calls=in_fragments(1, 2)),
    "oddity": Shape(
        roles="never",
        nulls={"role", "content", "refusal", "tool_calls", "function_call"},
        calls=[[(0, '{"a": 1}')], [(0, '{"b": 2}')]],
        usage=[(-number, "meta.usage") for number in range(9, 0, -1)],
        finish=[(-1, "stop")],
        done=False,
        comments=2,
    ),
}


def usage_members(value: Any, path: str = "") -> Iterator[str]:
    """Yield where an object has usage."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "usage" and member is not None:
                yield f"{path}usage"
            else:
                yield from usage_members(member, f"{path}{name}.")
    elif isinstance(value, list):
        for element in value:
            yield from usage_members(element, path)


def shape_of(text: str) -> Shape:
    lines = text.splitlines()
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    chunks = [json.loads(line) for line in data if line != "[DONE]"]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    deltas = [choice["delta"] for choice in choices]
    roles = [bool(delta.get("role")) for delta in deltas]
    words = {(True,) * len(roles): "every", (False,) * len(roles): "never"}
    words[True, *(False,) * (len(roles) - 1)] = "first"
    words[True, *(False,) * (len(roles) - 2), True] = "first and last"
    lists = [delta["content"][0]["type"] for delta in deltas if isinstance(delta.get("content"), list)]
    reasoning = [name for name in ("reasoning_content", "reasoning") if any(delta.get(name) for delta in deltas)]
    cited = [number for number, chunk in enumerate(chunks) if "citations" in chunk]
    place = "annotations" if any("annotations" in delta for delta in deltas) else "top of each"
    return Shape(
        roles=words[tuple(roles)],
        reasoning="content" if "thinking" in lists else reasoning[0],
        calls=[
            [(call.get("index"), call["function"]["arguments"]) for call in delta["tool_calls"]]
            for delta in deltas
            if delta.get("tool_calls")
        ],
        usage=[(number - len(chunks), path) for number, chunk in enumerate(chunks) for path in usage_members(chunk)],
        finish=[
            (number - len(chunks), choice["finish_reason"])
            for number, chunk in enumerate(chunks)
            for choice in chunk["choices"]
            if choice.get("finish_reason") is not None
        ],
        done=data[-1] == "[DONE]",
        nulls={name for delta in deltas for name, value in delta.items() if value is None},
        comments=sum(line.startswith(":") for line in lines),
        citations="reference" if "reference" in lists else "top of the last" if cited == [len(chunks) - 1] else place,
    )


def test_every_row_has_its_shape() -> None:
    assert set(SHAPES) == set(CHAT_SERVERS)


@pytest.mark.parametrize("name", SHAPES)
def test_a_stream_has_the_servers_shape(server: ProviderServer, name: str) -> None:
    server.reply(ANSWER)
    assert shape_of(post(server, name, stream=True, stream_options=WITH_USAGE).text) == SHAPES[name]


def text_in(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


@pytest.mark.parametrize("name", SHAPES)
def test_the_openai_sdk_reads_every_server(server: ProviderServer, name: str) -> None:
    server.reply(ANSWER, ANSWER)
    url = server.base_url(name) + APPENDED.get(name, "")
    with openai.OpenAI(base_url=url, api_key="x", max_retries=0) as client:
        stream = list(client.chat.completions.create(model="m", messages=ASKED, stream=True))
        whole = client.chat.completions.create(model="m", messages=ASKED)
    pieces = [text_in(chunk.choices[0].delta.content) for chunk in stream if chunk.choices]
    message: Any = whole.choices[0].message
    assert ("".join(pieces), text_in(message.content)) == ("It is Oslo.", "It is Oslo.")
    assert [(call.function.name, call.function.arguments) for call in message.tool_calls] == [
        ("add", '{"a": 1}'),
        ("now", '{"b": 2}'),
    ]
    assert whole.usage and whole.usage.total_tokens == 130
    word = "stop" if name == "oddity" else "tool_calls"
    assert {choice.finish_reason for chunk in stream for choice in chunk.choices} - {None} == {word}
    assert whole.choices[0].finish_reason == word


# --- rows in full, by their users' SDKs -----------------------------------------------------------


def by_groq(server: ProviderServer, stream: bool) -> list[dict[str, Any]]:
    with groq.Groq(base_url=server.base_url("groq"), api_key="x", max_retries=0) as client:
        if not stream:
            return [client.chat.completions.create(model="m", messages=ASKED).to_dict()]
        chunks = client.chat.completions.create(model="m", messages=ASKED, stream=True)
        return [chunk.to_dict() for chunk in chunks]


def by_async_groq(server: ProviderServer, stream: bool) -> list[dict[str, Any]]:
    async def ask() -> list[dict[str, Any]]:
        async with groq.AsyncGroq(base_url=server.base_url("groq"), api_key="x", max_retries=0) as client:
            if not stream:
                return [(await client.chat.completions.create(model="m", messages=ASKED)).to_dict()]
            chunks = await client.chat.completions.create(model="m", messages=ASKED, stream=True)
            return [chunk.to_dict() async for chunk in chunks]

    return asyncio.run(ask())


def by_mistral(server: ProviderServer, stream: bool) -> list[dict[str, Any]]:
    with Mistral(api_key="x", server_url=server.base_url("mistral")) as client:
        if not stream:
            return [client.chat.complete(model="m", messages=ASKED).model_dump(exclude_unset=True)]
        with client.chat.stream(model="m", messages=ASKED) as events:
            return [event.data.model_dump(exclude_unset=True) for event in events]


def by_async_mistral(server: ProviderServer, stream: bool) -> list[dict[str, Any]]:
    async def ask() -> list[dict[str, Any]]:
        async with Mistral(api_key="x", server_url=server.base_url("mistral")) as client:
            if not stream:
                return [(await client.chat.complete_async(model="m", messages=ASKED)).model_dump(exclude_unset=True)]
            async with await client.chat.stream_async(model="m", messages=ASKED) as events:
                return [event.data.model_dump(exclude_unset=True) async for event in events]

    return asyncio.run(ask())


Ask = Callable[[ProviderServer, bool], list[dict[str, Any]]]
DETAILS = {
    "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 9,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
COUNTS = {"prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130}


def top(server: ProviderServer, kind: str = "chat.completion.chunk") -> dict[str, Any]:
    return {"id": f"chatcmpl-{server.requests[-1].number}", "object": kind, "created": 1_700_000_000, "model": "m"}


@pytest.mark.parametrize("ask", [by_groq, by_async_groq], ids=["sync", "async"])
def test_groq_in_full(server: ProviderServer, ask: Ask) -> None:
    answer = Answer(Reasoning("Hm."), "Hi", ToolCall("now"), usage=Usage(100, 30, cached=40, reasoning=9))
    server.reply(answer, answer)
    usage = {**COUNTS, **DETAILS, "queue_time": 0.05, "prompt_time": 0.01, "completion_time": 0.1, "total_time": 0.11}
    call = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    streamed = ask(server, True)

    def chunk(delta: dict[str, Any], finish: str | None = None, **others: Any) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**top(server), "system_fingerprint": "fp_testing", "choices": [choice], **others}

    assert streamed == [
        chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_testing"}),
        chunk({"reasoning": "Hm."}),
        chunk({"content": "Hi"}),
        chunk({"tool_calls": [{"index": 0, **call}]}),
        chunk({}, "tool_calls", x_groq={"id": "req_testing", "usage": usage}),
    ]
    message = {"role": "assistant", "content": "Hi", "reasoning": "Hm.", "tool_calls": [call]}
    assert ask(server, False) == [
        {
            **top(server, "chat.completion"),
            "system_fingerprint": "fp_testing",
            "x_groq": {"id": "req_testing"},
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}],
            "usage": usage,
        }
    ]
    assert server.requests[-1].path == "/groq/openai/v1/chat/completions"


@pytest.mark.parametrize("ask", [by_mistral, by_async_mistral], ids=["sync", "async"])
def test_mistral_in_full(server: ProviderServer, ask: Ask) -> None:
    answer = Answer(
        Reasoning("Hm. Yes."),
        "Oslo",
        Citation("Oslo", "https://a.example/"),
        ToolCalls(ToolCall("now"), ToolCall("add", {"a": 1})),
        usage=Usage(100, 30),
    )
    server.reply(answer, answer)
    streamed = ask(server, True)

    def chunk(delta: dict[str, Any], **others: Any) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        return {**top(server), "choices": [choice], **others}

    def thinking(text: str, **others: Any) -> dict[str, Any]:
        return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **others}

    def call(number: int, name: str, arguments: str) -> dict[str, Any]:
        return {"id": f"call0000{number}", "function": {"name": name, "arguments": arguments}}

    last = chunk({"tool_calls": [call(2, "add", '{"a": 1}')]}, usage=COUNTS)
    last["choices"][0]["finish_reason"] = "tool_calls"
    assert streamed == [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": [thinking("Hm. ")]}),
        chunk({"content": [thinking("Yes.", closed=True)]}),
        chunk({"content": "Oslo"}),
        chunk({"content": [{"type": "reference", "reference_ids": [0]}]}),
        chunk({"tool_calls": [call(1, "now", "{}")]}),
        last,
    ]
    message = {
        "role": "assistant",
        "content": [
            thinking("Hm. Yes.", closed=True),
            {"type": "text", "text": "Oslo"},
            {"type": "reference", "reference_ids": [0]},
        ],
        "tool_calls": [call(1, "now", "{}"), call(2, "add", '{"a": 1}')],
    }
    assert ask(server, False) == [
        {
            **top(server, "chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
            "usage": COUNTS,
        }
    ]


def openai_chunks(server: ProviderServer, name: str) -> list[dict[str, Any]]:
    with openai.OpenAI(base_url=server.base_url(name), api_key="x", max_retries=0) as client:
        stream = client.chat.completions.create(model="m", messages=ASKED, stream=True)
        return [chunk.to_dict() for chunk in stream]


def test_xai_in_full(server: ProviderServer) -> None:
    server.reply(
        Answer(
            Reasoning("Hm."),
            EncryptedReasoning("RU5D"),
            "Oslo",
            Citation("Oslo", "https://a.example/"),
            usage=Usage(100, 30, cached=40, reasoning=9, cost=0.0232856),
        )
    )
    chunks = openai_chunks(server, "xai")

    def chunk(delta: dict[str, Any], **finish: str) -> dict[str, Any]:
        return {
            **top(server),
            "system_fingerprint": "fp_testing",
            "choices": [{"index": 0, "delta": delta, **finish}],
        }

    usage = {**COUNTS, "completion_tokens": 21, **DETAILS, "num_sources_used": 0, "cost_in_usd_ticks": 232856000}
    assert chunks == [
        chunk({"role": "assistant", "reasoning_content": "Hm."}),
        chunk({"encrypted_content": "RU5D"}),
        chunk({"content": "Oslo"}),
        chunk({}, finish_reason="stop"),
        {
            **top(server),
            "system_fingerprint": "fp_testing",
            "choices": [],
            "usage": usage,
            "citations": ["https://a.example/"],
        },
    ]


def test_openrouter_in_full(server: ProviderServer) -> None:
    answer = Answer(Reasoning("Hm.", signature="U2ln"), EncryptedReasoning("RU5D"), "Hi", usage=Usage(9, 3, cost=0.5))
    server.reply(answer, answer)
    chunks = openai_chunks(server, "openrouter")

    def chunk(delta: dict[str, Any], finish: str | None = None, **others: Any) -> dict[str, Any]:
        return {
            **top(server),
            "provider": "Testing",
            "choices": [
                {
                    "index": 0,
                    "delta": {"role": "assistant", "content": "", **delta},
                    "finish_reason": finish,
                    "native_finish_reason": finish,
                    "logprobs": None,
                }
            ],
            **others,
        }

    def detail(kind: str, **members: str) -> dict[str, Any]:
        return {"type": f"reasoning.{kind}", **members, "format": "unknown", "index": 0}

    last = chunks.pop()
    assert chunks == [
        chunk({}),
        chunk({"reasoning": "Hm.", "reasoning_details": [detail("text", text="Hm.")]}),
        chunk({"reasoning_details": [detail("text", signature="U2ln")]}),
        chunk({"reasoning_details": [detail("encrypted", data="RU5D")]}),
        chunk({"content": "Hi"}),
        chunk({}, "stop"),
    ]
    assert (last.pop("usage")["cost"], last) == (0.5, chunk({}))
    raw = post(server, "openrouter", stream=True).text
    assert raw.startswith(": OPENROUTER PROCESSING\n\ndata: {")
    assert raw.count(": OPENROUTER PROCESSING\n\n") == 2


def test_perplexity_in_full(server: ProviderServer) -> None:
    server.reply(Answer("a b", Citation("b", "https://b.example/", "B"), usage=Usage(9, 6, cost=0.5)))
    chunks = openai_chunks(server, "perplexity")

    def chunk(number: int, delta: dict[str, Any], so_far: str, output: int, **finish: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": so_far}
        return {
            **top(server),
            "id": f"chatcmpl-{server.requests[-1].number}-{number}",
            "choices": [{"index": 0, "delta": delta, "message": message, **finish}],
            "usage": {
                "prompt_tokens": 9,
                "completion_tokens": output,
                "total_tokens": 9 + output,
                "cost": {"total_cost": 0.5},
            },
            "citations": ["https://b.example/"],
            "search_results": [{"title": "B", "url": "https://b.example/"}],
        }

    assert chunks == [
        chunk(1, {"role": "assistant", "content": "a "}, "a ", 2),
        chunk(2, {"content": "b"}, "a b", 4),
        chunk(3, {"role": "assistant", "content": ""}, "a b", 6, finish_reason="stop"),
    ]


# --- single members -------------------------------------------------------------------------------

USAGE = Usage(100, 30, cached=40, reasoning=9, cost=0.0012)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("openai", {**COUNTS, **DETAILS}),
        ("xai", {**COUNTS, "completion_tokens": 21, **DETAILS, "num_sources_used": 0, "cost_in_usd_ticks": 12000000}),
        ("openrouter", {**COUNTS, **DETAILS, "cost": 0.0012}),
        ("deepseek", {**COUNTS, **DETAILS, "prompt_cache_hit_tokens": 40, "prompt_cache_miss_tokens": 60}),
        ("together", {**COUNTS, "cached_tokens": 40}),
        ("perplexity", {**COUNTS, "cost": {"total_cost": 0.0012}}),
        ("moonshot", {**COUNTS, **DETAILS, "cached_tokens": 40}),
        ("vercel", {**COUNTS, **DETAILS, "cost": 0.0012, "market_cost": 0.0012}),
        ("ollama", COUNTS),
    ],
)
def test_usage_as_each_server_counts(server: ProviderServer, name: str, counts: dict[str, Any]) -> None:
    server.reply(*[Answer("Hi", usage=USAGE)] * 2)
    assert post(server, name).json()["usage"] == counts
    assert chunks_of(server, name)[-1]["usage"] == counts


def test_a_cost_that_is_not_scripted_is_left_out(server: ProviderServer) -> None:
    server.reply("Hi")
    assert "cost_in_usd_ticks" not in post(server, "xai").json()["usage"]


@pytest.mark.parametrize("name", ["openai", "moonshot", "groq", "deepseek", "xai"])
def test_usage_at_the_top_without_being_asked_for(server: ProviderServer, name: str) -> None:
    server.reply("Hi")
    chunks = [
        json.loads(line.removeprefix("data: "))
        for line in post(server, name, stream=True).text.splitlines()
        if line.startswith("data: {")
    ]
    assert [bool(chunk.get("usage")) for chunk in chunks].count(True) == (name in ("deepseek", "xai"))


def test_where_an_answer_wants_usage_itself(server: ProviderServer) -> None:
    server.reply(Answer("a b", usage_in="every_chunk"))
    outputs = [chunk["usage"]["completion_tokens"] for chunk in chunks_of(server, "groq")]
    assert outputs == [5, 10, 15, 20]


@pytest.mark.parametrize(("name", "member", "place"), [("llamacpp", "timings", -2), ("cerebras", "time_info", -1)])
def test_timings_come_with_the_finish_reason(server: ProviderServer, name: str, member: str, place: int) -> None:
    server.reply("Hi", "Hi")
    chunks = chunks_of(server, name)
    assert [chunk for chunk in chunks if member in chunk] == [chunks[place]]
    assert chunks[place]["choices"][0]["finish_reason"] == "stop"
    assert member in post(server, name).json()


def test_given_fragments_stay_apart_where_the_server_sends_whole_calls(server: ProviderServer) -> None:
    server.reply(ToolCall("add", {"a": 1}, chunks=['{"a', '": 1}']))
    deltas = [choice["delta"] for chunk in chunks_of(server, "groq") for choice in chunk["choices"]]
    arguments = [call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", ())]
    assert arguments == ["", '{"a', '": 1}']


def test_mistrals_padding(server: ProviderServer) -> None:
    server.reply("Hi")
    assert {chunk["p"] for chunk in chunks_of(server, "mistral")} == {"abcdefgh"}


def test_a_thought_signature_of_googles_compatible_endpoint(server: ProviderServer) -> None:
    server.reply(*[Answer(ToolCall("now", signature="VG9v"))] * 2)
    extra = {"google": {"thought_signature": "VG9v"}}
    (call,) = post(server, "google-compat").json()["choices"][0]["message"]["tool_calls"]
    assert call["extra_content"] == extra
    assert chunks_of(server, "google-compat")[0]["choices"][0]["delta"]["tool_calls"][0]["extra_content"] == extra


def test_a_first_chunk_of_githubs_filter(server: ProviderServer) -> None:
    server.reply("Hi")
    first, *others = chunks_of(server, "github")
    assert (first["choices"], first["id"], list(first["prompt_filter_results"][0])) == (
        [],
        "",
        ["prompt_index", "content_filter_results"],
    )
    assert [choice["content_filter_results"] for chunk in others for choice in chunk["choices"]] == [{}] * 3


# --- errors ---------------------------------------------------------------------------------------


OPENAIS_ERROR = {"message": "No.", "type": "requests", "param": None, "code": "rate_limit_exceeded", "hint": "x"}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("openai", {"error": OPENAIS_ERROR}),
        ("openrouter", {"error": {"message": "No.", "type": "requests", "code": 429, "hint": "x"}}),
        ("mistral", {"object": "error", **OPENAIS_ERROR}),
        ("xai", {"code": "rate_limit_exceeded", "error": "No.", "hint": "x"}),
        ("google-compat", {"error": {"code": 429, "message": "No.", "status": "RESOURCE_EXHAUSTED", "hint": "x"}}),
    ],
)
def test_an_error_status_has_the_servers_body(server: ProviderServer, name: str, body: dict[str, Any]) -> None:
    server.reply(Status(429, "No.", extra={"hint": "x"}))
    response = post(server, name)
    assert (response.status_code, response.json()) == (429, body)


def test_sdks_raise_their_own_error(server: ProviderServer) -> None:
    server.reply_always(Status(429, "No."))
    with pytest.raises(groq.RateLimitError, match="No\\."):
        by_groq(server, False)
    with pytest.raises(mistral_errors.SDKError) as caught:
        by_mistral(server, False)
    server.reply_always(None)
    assert (caught.value.status_code, json.loads(caught.value.body)["message"]) == (429, "No.")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (
            "groq",
            'event: error\ndata: {"error":{"message":"No.","type":"t","param":null,"code":"tool_use_failed",'
            '"failed_generation":"<x>","status_code":400}}\n\n',
        ),
        (
            "deepseek",
            'data: {"error":{"message":"No.","type":"t","param":null,"code":"tool_use_failed",'
            '"failed_generation":"<x>"}}\n\n',
        ),
        (
            "llamacpp",
            'error: {"error":{"message":"No.","type":"t","code":400,"failed_generation":"<x>"}}\n\n',
        ),
        ("oddity", 'error: {"code":"tool_use_failed","error":"No.","failed_generation":"<x>"}\r\n\r\n'),
    ],
)
def test_an_error_inside_a_stream(server: ProviderServer, name: str, line: str) -> None:
    fault = StreamError("a b", after=2, message="No.", type="t", code="tool_use_failed", status=400)
    server.reply(replace(fault, extra={"failed_generation": "<x>"}))
    response = post(server, name, stream=True)
    assert response.status_code == 200
    assert response.text.endswith(line)
    assert response.text.count('"content":"a "') == 1


def test_an_error_beside_the_choices(server: ProviderServer) -> None:
    server.reply(StreamError("a b", after=2, message="No.", status=502))
    last = chunks_of(server, "openrouter")[-1]
    assert last["error"] == {"message": "No.", "type": "server_error", "code": 502}
    assert [(choice["finish_reason"], choice["delta"]) for choice in last["choices"]] == [
        ("error", {"role": "assistant", "content": ""})
    ]


def test_the_groq_sdk_raises_an_error_inside_a_stream(server: ProviderServer) -> None:
    server.reply(StreamError("a b", after=2, message="No.", code="tool_use_failed"))
    with pytest.raises(groq.APIError, match="No\\."):
        by_groq(server, True)


def test_a_blocked_prompt_is_a_bad_request(server: ProviderServer) -> None:
    server.reply(*[Blocked(message="Not this.")] * 2)
    for name, code in (("openai", "invalid_prompt"), ("azure", "content_filter")):
        with pytest.raises(openai.BadRequestError, match="Not this") as caught:
            openai_chunks(server, name)
        assert caught.value.code == code


# --- servers of one's own -------------------------------------------------------------------------

ACME = ChatServer(
    name="acme",
    path="/llm/v2",
    tool_index="missing",
    tool_id="null",
    usage=(UsagePlace("finish_chunk", ("billing", "usage")),),
    usage_extra={"billing.usd": "cost"},
    done=False,
)


@pytest.mark.parametrize("kind", [ProviderServer, SpawnedServer])
def test_a_server_of_ones_own(kind: type[ProviderServer | SpawnedServer]) -> None:
    calls = ToolCalls(ToolCall("add", {"a": 1}), ToolCall("now"), shape="together")
    with kind(default=Answer(calls, usage=Usage(9, 3, cost=0.5)), servers=[ACME]) as server:
        assert server.base_url("acme") == f"{server.url}/acme/llm/v2"
        first, calling, finish = chunks_of(server, "acme")
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": None}
    assert calling["choices"][0]["delta"]["tool_calls"] == [
        {"id": "null", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
        {"id": "null", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]
    assert finish["billing"]["usage"]["billing"] == {"usd": 0.5}


def test_a_variant_of_a_known_server() -> None:
    silent = replace(CHAT_SERVERS["groq"], name="silent", usage=(), done=False)
    with ProviderServer("Hi", servers=[silent]) as server:
        url = server.base_url("silent") + "/openai/v1/chat/completions"
        text = httpx2.post(url, json={"stream": True, "stream_options": WITH_USAGE}).text
    assert ("usage" in text, "[DONE]" in text, text.count('"x_groq":{"id":"req_testing"}')) == (False, False, 2)


# --- replay ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("read_sizes", [None, [1, 2, 3]], ids=["by event", "by read"])
def test_a_recording_byte_for_byte(server: ProviderServer, read_sizes: list[int] | None) -> None:
    recording = b': ping\n\ndata:{}\r\n\r\nerror: {"x": "\xc3\xa9"}\n\n'
    server.reply(Replay(recording, read_sizes=read_sizes))
    url = server.base_url("openrouter") + "/chat/completions"
    with httpx2.stream("POST", url, json={"stream": True}) as response:
        reads = list(response.iter_bytes())
    assert b"".join(reads) == recording
    assert read_sizes is not None or reads == [recording[:8], recording[8:19], recording[19:]]


def test_text_in_unicode(server: ProviderServer) -> None:
    server.reply(Text("Zażółć 🦀", chunks=3))
    deltas = [chunk["choices"][0]["delta"].get("content") for chunk in chunks_of(server, "vllm")[:-1]]
    assert deltas == ["", "Zaż", "ółć", " 🦀", None]
