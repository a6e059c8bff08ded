"""Programs with streams, as v1's documentation has them, over the SDK's streams and over what stands in for them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, OpenAI, OpenAIError, Stream
from openai.types.chat import ChatCompletionChunk

from ferroscope import Messages, prompt_template
from ferroscope.core import openai
from ferroscope.testing import Answer, Cut, ProviderServer, Status, Text, ToolCall, ToolCalls, Usage

STORY = Answer(Text("Once upon a time"), usage=Usage(9, 4, cached=3), model="gpt-4o-mini-2024-07-18")


@openai.call("gpt-4o-mini", stream=True)
@prompt_template("Recommend a {genre} book")
def recommend(genre: str): ...


def weather(city: str) -> str:
    """Tells the weather.

    Args:
        city: The city.
    """
    return f"sunny in {city}"


def test_text_is_printed_as_it_comes(server: ProviderServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.reply(STORY)
    for chunk, _ in recommend("fantasy"):
        print(chunk.content, end="", flush=True)
    assert capsys.readouterr().out == "Once upon a time"
    assert server.requests[-1].json == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Recommend a fantasy book"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_every_property_of_a_chunk(server: ProviderServer) -> None:
    server.reply(STORY)
    chunks = [chunk for chunk, _ in recommend("fantasy")]
    assert {type(chunk) for chunk in chunks} == {openai.OpenAICallResponseChunk}
    assert {type(chunk.chunk) for chunk in chunks} == {ChatCompletionChunk}
    assert "".join(map(str, chunks)) == "".join(chunk.content for chunk in chunks) == "Once upon a time"
    assert {(chunk.id, chunk.model) for chunk in chunks} == {(chunks[0].chunk.id, "gpt-4o-mini-2024-07-18")}
    assert [chunk.finish_reasons for chunk in chunks if chunk.finish_reasons] == [["stop"]]
    assert [chunk.common_finish_reasons for chunk in chunks if chunk.common_finish_reasons] == [["stop"]]
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    last = chunks[-1]
    assert (last.input_tokens, last.cached_tokens, last.output_tokens) == (9, 3, 4)
    assert last.usage.total_tokens == 13
    assert last.common_usage.model_dump() == {
        "input_tokens": 9,
        "cached_tokens": 3,
        "output_tokens": 4,
        "total_tokens": 13,
    }
    assert last.cost_metadata.output_tokens == 4
    assert (chunks[0].audio, chunks[0].audio_transcript) == (None, None)


def test_every_property_of_a_stream(server: ProviderServer) -> None:
    server.reply(STORY)
    stream = recommend("fantasy")
    assert isinstance(stream, openai.OpenAIStream)
    assert server.requests == []  # nothing is sent before the loop begins
    user = {"role": "user", "content": "Recommend a fantasy book"}
    always = {
        "metadata": {},
        "tool_types": None,
        "call_response_type": openai.OpenAICallResponse,
        "prompt_template": "Recommend a {genre} book",
        "fn_args": {"genre": "fantasy"},
        "dynamic_config": None,
        "messages": [user],
        "call_params": {},
        "call_kwargs": {
            "model": "gpt-4o-mini",
            "messages": [user],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        "user_message_param": user,
        "provider": "openai",
    }
    before = {
        "content": "",
        "input_tokens": None,
        "cached_tokens": None,
        "output_tokens": None,
        "id": None,
        "start_time": 0,
        "end_time": 0,
        "cost": None,
        "model": "gpt-4o-mini",
    }
    assert {name: getattr(stream, name) for name in always} == always
    assert {name: getattr(stream, name) for name in before} == before
    assert not stream.finish_reasons
    with pytest.raises(AttributeError):
        _ = stream.message_param
    with pytest.raises(ValueError, match="No stream response, check if the stream has been consumed"):
        stream.construct_call_response()

    for _ in stream:
        pass

    after = {
        "content": "Once upon a time",
        "finish_reasons": ["stop"],
        "input_tokens": 9,
        "cached_tokens": 3,
        "output_tokens": 4,
        "model": "gpt-4o-mini-2024-07-18",
        "message_param": {"role": "assistant", "content": "Once upon a time"},
    }
    assert {name: getattr(stream, name) for name in always} == always
    assert {name: getattr(stream, name) for name in after} == after
    assert 0 < stream.start_time <= stream.end_time
    assert stream.id.startswith("chatcmpl")
    assert stream.cost == pytest.approx((6 * 0.15 + 3 * 0.075 + 4 * 0.6) / 1e6)
    assert stream.cost_metadata.input_tokens == 9

    response = stream.construct_call_response()
    assert isinstance(response, openai.OpenAICallResponse)
    assert (response.content, response.id, response.finish_reasons) == (stream.content, stream.id, ["stop"])
    assert response.usage.prompt_tokens == 9
    assert (response.tools, response.tool) == (None, None)


def test_async_streams_together(server: ProviderServer) -> None:
    server.reply_always(STORY)

    @openai.call("gpt-4o-mini", stream=True)
    async def ask(genre: str) -> str:
        return f"Recommend a {genre} book"

    async def read(genre: str) -> str:
        stream = await ask(genre)
        parts = [chunk.content async for chunk, _ in stream]
        assert stream.start_time and stream.end_time
        return "".join(parts)

    async def main() -> list[str]:
        return await asyncio.gather(*map(read, ("fantasy", "horror", "poetry")))

    for _ in range(2):
        assert asyncio.run(main()) == ["Once upon a time"] * 3


def test_the_wrong_kind_of_loop(server: ProviderServer) -> None:
    server.reply_always(STORY)

    async def main() -> None:
        async for _ in recommend("fantasy"):
            pass

    with pytest.raises(AssertionError):
        asyncio.run(main())


def test_a_stream_in_threads(server: ProviderServer) -> None:
    server.reply_always(STORY)

    async def main() -> list[str]:
        def read() -> str:
            return "".join(chunk.content for chunk, _ in recommend("fantasy"))

        return await asyncio.gather(*(asyncio.to_thread(read) for _ in range(3)))

    assert asyncio.run(main()) == ["Once upon a time"] * 3


def test_errors_come_with_the_first_chunk(server: ProviderServer) -> None:
    server.reply_always(Status(400, "no such model"))
    stream = recommend("fantasy")
    with pytest.raises(OpenAIError, match="no such model") as caught:
        next(iter(stream))
    assert isinstance(caught.value, APIStatusError)


def test_a_cut_connection_is_an_openai_error(server: ProviderServer) -> None:
    server.reply(Cut(STORY, at=700))
    seen = []
    with pytest.raises(OpenAIError) as caught:
        for chunk, _ in recommend("fantasy"):
            seen.append(chunk.content)
    assert isinstance(caught.value, APIConnectionError)
    assert "".join(seen) and "Once upon a time".startswith("".join(seen))


@pytest.mark.parametrize("shape", ["sequential", "interleaved", "together"])
def test_tools_are_given_once_they_are_complete(server: ProviderServer, shape: Any) -> None:
    cities = [ToolCall("weather", {"city": city}) for city in ("Rome", "Oslo")]
    server.reply(Answer(Text("Let me see."), ToolCalls(*cities, shape=shape)))

    @openai.call("gpt-4o-mini", stream=True, tools=[weather])
    def ask() -> str:
        return "How is the weather in Rome and Oslo?"

    stream = ask()
    found = [tool for _, tool in stream if tool]
    assert [tool.call() for tool in found] == ["sunny in Rome", "sunny in Oslo"]
    assert [(tool._name(), tool.id, tool.args) for tool in found] == [
        ("weather", "call_1", {"city": "Rome"}),
        ("weather", "call_2", {"city": "Oslo"}),
    ]
    assert found[0].tool_call.function.name == "weather"
    assert [call["id"] for call in stream.message_param["tool_calls"]] == ["call_1", "call_2"]
    assert stream.tool_message_params([(found[0], found[0].call())]) == [
        {"role": "tool", "content": "sunny in Rome", "tool_call_id": "call_1", "name": "weather"}
    ]
    assert [tool.call() for tool in stream.construct_call_response().tools] == ["sunny in Rome", "sunny in Oslo"]


def test_partial_tools_have_a_delta(server: ProviderServer) -> None:
    server.reply(ToolCall("weather", {"city": "Rome"}, chunks=['{"ci', 'ty": "Ro', 'me"}']))

    @openai.call("gpt-4o-mini", stream={"partial_tools": True}, tools=[weather])
    def ask() -> str:
        return "How is the weather in Rome?"

    found = [tool for _, tool in ask() if tool]
    assert "".join(tool.delta or "" for tool in found[:-1]) == '{"city": "Rome"}'
    assert found[-1].delta is None
    assert found[-1].call() == "sunny in Rome"


def test_a_chat_that_streams(server: ProviderServer) -> None:
    server.reply("Hi Ann.", "You are Ann.")
    history: list[Any] = []

    @openai.call("gpt-4o-mini", stream=True)
    def ask(query: str) -> Messages.Type:
        return [Messages.System("Be kind."), *history, Messages.User(query)]

    printed = []
    for query in ("I am Ann.", "Who am I?"):
        stream = ask(query)
        printed.append("".join(chunk.content for chunk, _ in stream))
        history += [stream.user_message_param, stream.message_param]
    assert printed == ["Hi Ann.", "You are Ann."]
    assert [one["content"] for one in server.requests[-1].json["messages"]] == [
        "Be kind.",
        "I am Ann.",
        "Hi Ann.",
        "Who am I?",
    ]


def pairs_of(client: OpenAI) -> list[tuple[str, str | None]]:
    @openai.call("gpt-4o-mini", stream=True, tools=[weather], client=client)
    def ask() -> str:
        return "How is the weather?"

    stream = ask()
    pairs = [(chunk.content, tool and tool.call()) for chunk, tool in stream]
    assert (stream.content, stream.input_tokens) == ("Let me see.", 9)
    return pairs


class Counted(Stream[ChatCompletionChunk]):
    """What an instrumenting library makes of a stream: a subclass that looks at every object."""

    seen = 0

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        for chunk in super().__iter__():
            type(self).seen += 1
            yield chunk


class Proxy:
    """Another does it with an object of its own."""

    def __init__(self, stream: Stream[ChatCompletionChunk], seen: list[ChatCompletionChunk]) -> None:
        self._stream, self._seen = stream, seen

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        for chunk in self._stream:
            self._seen.append(chunk)
            yield chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@pytest.mark.parametrize("how", ["subclass", "class swapped", "proxy", "generator", "list"])
def test_streams_that_somebody_wrapped_are_iterated_over(server: ProviderServer, how: str) -> None:
    answer = Answer(Text("Let me see."), ToolCall("weather", {"city": "Rome"}), usage=Usage(9, 4))
    server.reply(answer, answer)
    url = server.base_url("openai")
    with OpenAI(base_url=url, api_key="key") as plain, OpenAI(base_url=url, api_key="key") as wrapped:
        create = wrapped.chat.completions.create
        seen: list[ChatCompletionChunk] = []
        Counted.seen = 0

        def instrumented(**kwargs: Any) -> Any:
            stream: Any = create(**kwargs)
            if how == "subclass":
                return Counted(cast_to=ChatCompletionChunk, response=stream.response, client=wrapped)
            if how == "class swapped":
                stream.__class__ = Counted
                return stream
            if how == "proxy":
                return Proxy(stream, seen)
            if how == "list":
                return seen.extend(stream) or list(seen)
            return (seen.append(chunk) or chunk for chunk in stream)

        wrapped.chat.completions.create = instrumented  # type: ignore[method-assign,assignment]
        assert pairs_of(wrapped) == pairs_of(plain)
        assert len(seen) + Counted.seen > 3


def test_an_async_stream_that_somebody_wrapped(server: ProviderServer) -> None:
    server.reply(STORY)
    seen: list[ChatCompletionChunk] = []

    async def main() -> str:
        async with AsyncOpenAI(base_url=server.base_url("openai"), api_key="key") as client:
            create = client.chat.completions.create

            async def instrumented(**kwargs: Any) -> AsyncIterator[ChatCompletionChunk]:
                stream: Any = await create(**kwargs)

                async def chunks() -> AsyncIterator[ChatCompletionChunk]:
                    async for chunk in stream:
                        seen.append(chunk)
                        yield chunk

                return chunks()

            client.chat.completions.create = instrumented  # type: ignore[method-assign,assignment]

            @openai.call("gpt-4o-mini", stream=True, client=client)
            async def ask() -> str:
                return "Tell"

            stream = await ask()
            async for _ in stream:
                pass
            return stream.content

    assert asyncio.run(main()) == "Once upon a time"
    assert len(seen) > 3


def test_an_interrupt_closes_the_connection(server: ProviderServer) -> None:
    server.reply(Answer(Text("word " * 200), delay=0.02))

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    stream = recommend("fantasy")
    try:
        with pytest.raises(KeyboardInterrupt):
            for number, _ in enumerate(stream):
                if number == 3:
                    signal.setitimer(signal.ITIMER_REAL, 0.005)  # rings while the next chunk is waited for
        server.wait_closed()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert 0 < len(stream.content) < 1000
    assert server.open_streams == 0
