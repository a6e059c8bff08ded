"""`llm.context` and `llm.override`: whose changes a call sees, and whose it does not."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from ferroscope import llm
from ferroscope.testing import Answer, ProviderServer, Request


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@llm.call("openai", "own", call_params={"seed": 1}, tools=[add])
def ask(question: str) -> str:
    return question


@llm.call("openai", "own")
async def ask_async(question: str) -> str:
    await asyncio.sleep(0)
    return question


def models(server: ProviderServer) -> list[str]:
    return [request.json["model"] for request in server.requests]


def test_contexts_nest_and_the_outer_one_comes_back(server: ProviderServer) -> None:
    with llm.context(provider="openai", model="outer"):
        ask("1")
        with llm.context(provider="openai", model="inner"):
            ask("2")
        ask("3")
    ask("4")
    assert models(server) == ["outer", "inner", "outer", "own"]


def test_a_context_ends_with_an_exception_too(server: ProviderServer) -> None:
    with pytest.raises(KeyError), llm.context(provider="openai", model="other"):
        raise KeyError
    ask("1")
    assert models(server) == ["own"]


def test_a_context_object_can_be_entered_again(server: ProviderServer) -> None:
    other = llm.context(provider="openai", model="other")
    assert (other.provider, other.model) == ("openai", "other")
    for _ in range(2):
        with other, other:
            ask("1")
        ask("2")
    assert models(server) == ["other", "own"] * 2


def test_parameters_are_replaced_and_those_of_outer_contexts_stay(server: ProviderServer) -> None:
    with llm.context(provider="openai", model="outer", call_params={"temperature": 0.5}):
        with llm.context(provider="openai", model="inner"):
            ask("1")
        with llm.context(provider="openai", model="inner", call_params={"top_p": 0.5}):
            ask("2")
    sent = [request.json for request in server.requests]
    keys = [{"seed", "temperature", "top_p"} & body.keys() for body in sent]
    assert keys == [{"temperature"}, {"top_p"}]


def test_provider_and_model_go_together() -> None:
    with pytest.raises(ValueError, match="Provider and model must both be specified if either is specified"):
        llm.context(provider="openai", model="")
    with pytest.raises(ValueError, match="Provider and model must both be overridden if either is overridden"):
        llm.override(ask, provider="openai")


async def test_an_async_call_keeps_the_context_in_which_it_was_called(server: ProviderServer) -> None:
    with llm.context(provider="openai", model="when called"):
        pending = ask_async("1")
    await pending
    outside = ask_async("2")
    with llm.context(provider="openai", model="when awaited"):
        await outside
    assert models(server) == ["when called", "own"]


async def test_calls_inside_an_async_prompt_see_the_context_of_the_call(server: ProviderServer) -> None:
    @llm.call("openai", "own")
    async def chained(question: str) -> str:
        return (await ask_async(question)).content

    with llm.context(provider="openai", model="other"):
        pending = chained("1")
    await pending
    assert models(server) == ["other", "other"]
    await chained("2")
    assert models(server)[2:] == ["own", "own"]


def test_a_stream_keeps_the_context_of_its_call(server: ProviderServer) -> None:
    with llm.context(provider="openai", model="other"):
        stream = llm.override(ask, stream=True)("1")
    with llm.context(provider="openai", model="third"):
        list(stream)
    assert models(server) == ["other"]


def test_contexts_in_generators_that_take_turns_do_not_undo_each_other(server: ProviderServer) -> None:
    def calls(model: str) -> Iterator[None]:
        with llm.context(provider="openai", model=model):
            yield
            ask("1")
        yield

    first, second = calls("first"), calls("second")
    next(first), next(second)
    next(first), next(second)
    ask("2")
    assert models(server)[-1] == "own"
    assert models(server)[1] == "second"


async def test_a_context_that_ends_in_another_task_is_no_error(server: ProviderServer) -> None:
    async def calls() -> AsyncIterator[None]:
        with llm.context(provider="openai", model="other"):
            yield

    generator = calls()
    await asyncio.create_task(anext(generator))  # type: ignore[arg-type]
    assert await anext(generator, None) is None
    await ask_async("1")
    assert models(server) == ["own"]


# ---- many at once


def echo(request: Request) -> str:
    """Answers with all that could be mixed up: whose key, which model, what was asked."""
    body = request.json
    return f"{request.headers['authorization']} {body['model']} {body['seed']} {body['messages'][0]['content']}"


@pytest.mark.slow
async def test_a_thousand_tasks_with_contexts_and_clients_of_their_own(server: ProviderServer) -> None:
    server.reply_always(lambda request: Answer(echo(request)))
    clients = [
        AsyncOpenAI(base_url=server.base_url("openai"), api_key=f"key-{number}", max_retries=5) for number in range(10)
    ]

    async def one(number: int) -> tuple[str, str]:
        client = clients[number % 10]
        with llm.context(provider="openai", model=f"m{number}", client=client, call_params={"seed": number}):
            await asyncio.sleep(0)
            first = await ask_async(f"q{number}")
            with llm.context(provider="openai", model=f"n{number}"):
                await asyncio.sleep(0)
                second = await ask_async(f"r{number}")
        return first.content, second.content

    answers = await asyncio.gather(*map(one, range(1000)))
    assert answers == [
        (f"Bearer key-{n % 10} m{n} {n} q{n}", f"Bearer key-{n % 10} n{n} {n} r{n}") for n in range(1000)
    ]
    for client in clients:
        await client.close()


@pytest.mark.slow
def test_a_thousand_calls_in_threads_with_contexts_and_clients_of_their_own(server: ProviderServer) -> None:
    server.reply_always(lambda request: Answer(echo(request)))
    clients = [OpenAI(base_url=server.base_url("openai"), api_key=f"key-{number}") for number in range(10)]
    threads, calls = 50, 20
    barrier = Barrier(threads)

    def thread(number: int) -> list[str]:
        barrier.wait()
        found = []
        for call in range(calls):
            model, client = f"m{number}-{call}", clients[(number + call) % 10]
            with llm.context(provider="openai", model=model, client=client, call_params={"seed": number}):
                found.append(ask(f"q{number}").content)
        return found

    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(thread, range(threads)))
    assert answers == [
        [f"Bearer key-{(n + call) % 10} m{n}-{call} {n} q{n}" for call in range(calls)] for n in range(threads)
    ]
    for client in clients:
        client.close()


async def test_a_context_goes_into_threads_with_the_copied_context(server: ProviderServer) -> None:
    with llm.context(provider="openai", model="other"):
        await asyncio.to_thread(ask, "1")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, ask, "2").result()
            pool.submit(ask, "3").result()
    assert models(server) == ["other", "other", "own"]


# ---- override


def test_what_is_not_overridden_stays(server: ProviderServer) -> None:
    other = llm.override(ask, provider="openai", model="other")
    other("1")
    ask("2")
    first, second = (request.json for request in server.requests)
    assert first | {"messages": [], "model": "own"} == second | {"messages": []}
    assert models(server) == ["other", "own"]


def test_the_newest_override_counts_most(server: ProviderServer) -> None:
    first = llm.override(ask, provider="openai", model="first", call_params={"seed": 2})
    second = llm.override(first, provider="openai", model="second")
    with llm.context(provider="openai", model="context", call_params={"seed": 3}):
        second("1")
    assert [(body.json["model"], body.json["seed"]) for body in server.requests] == [("second", 2)]
    first("1")
    assert models(server)[-1] == "first"


def test_the_kinds_of_result_replace_each_other(server: ProviderServer) -> None:
    def upper(response: llm.CallResponse) -> str:
        return response.content.upper()

    parsed = llm.override(ask, output_parser=upper)
    streamed = llm.override(parsed, stream=True)
    again = llm.override(streamed, output_parser=upper)
    plain = llm.override(streamed, stream=False)
    assert parsed("1") == "HELLO THERE"
    assert isinstance(streamed("1"), llm.Stream)
    assert again("1") == "HELLO THERE"
    assert isinstance(plain("1"), llm.CallResponse)
    with pytest.raises(ValueError, match="Cannot use `output_parser` with `stream=True`"):
        any_override: Any = llm.override
        any_override(ask, stream=True, output_parser=upper)("1")


def test_tools_are_replaced_and_can_be_taken_away(server: ProviderServer) -> None:
    def subtract(a: int, b: int) -> int:
        """Subtracts."""
        return a - b

    llm.override(ask, tools=[subtract])("1")
    llm.override(ask, tools=[])("1")
    first, second = (request.json for request in server.requests)
    assert [tool["function"]["name"] for tool in first["tools"]] == ["subtract"]
    assert "tools" not in second


def test_a_client_serves_only_the_provider_that_it_was_given_with(server: ProviderServer) -> None:
    with OpenAI(base_url=server.base_url("openai"), api_key="tenant") as client:

        @llm.call("openai", "own", client=client)
        def tenants(question: str) -> str:
            return question

        tenants("1")
        llm.override(tenants, provider="openai", model="other")("2")
        llm.override(tenants, provider="ollama", model="llama3")("3")
        with llm.context(provider="vllm", model="m"), llm.context(provider="openai", model="m"):
            tenants("4")
        with llm.context(provider="vllm", model="m", client=client):
            tenants("5")
    keys = [request.headers["authorization"].removeprefix("Bearer ") for request in server.requests]
    assert keys == ["tenant", "tenant", "ollama", "test-key", "tenant"]


def test_calls_in_the_prompt_are_made_elsewhere_too_but_keep_their_kind(server: ProviderServer) -> None:
    @llm.call("openai", "own")
    def chained(question: str) -> str:
        return ask(question).content

    stream = llm.override(chained, provider="openai", model="other", stream=True)("1")
    assert isinstance(stream, llm.Stream)
    list(stream)
    assert [(body.json["model"], body.json.get("stream", False)) for body in server.requests] == [
        ("other", False),
        ("other", True),
    ]


async def test_async_overrides_are_coroutine_functions(server: ProviderServer) -> None:
    other = llm.override(ask_async, provider="openai", model="other")
    assert inspect.iscoroutinefunction(other)
    with llm.context(provider="openai", model="context", call_params={"seed": 5}):
        pending = other("1")
    await pending
    assert [(body.json["model"], body.json["seed"]) for body in server.requests] == [("other", 5)]


def test_a_function_around_calls_is_overridden_as_a_whole(server: ProviderServer) -> None:
    def agent(questions: list[str]) -> list[str]:
        return [ask(question).content for question in questions]

    assert llm.override(agent, provider="openai", model="other")(["1", "2"]) == ["Hello there"] * 2
    assert models(server) == ["other", "other"]
