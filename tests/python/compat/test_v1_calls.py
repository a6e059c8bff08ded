"""Programs with calls, as v1's documentation has them: prompts, dynamic configuration, async, multimodal, clients."""

from __future__ import annotations

import asyncio
import base64
import io
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from typing import Any

import pytest
from openai import APIStatusError, AsyncOpenAI, AuthenticationError, AzureOpenAI, OpenAI, OpenAIError
from PIL import Image
from pydantic import BaseModel, computed_field

from ferroscope import BaseDynamicConfig, BaseMessageParam, ImagePart, Messages, TextPart, prompt_template
from ferroscope.core import BasePrompt, anthropic, merge_decorators, metadata, openai
from ferroscope.testing import Answer, ProviderServer, Status, Text, Usage

HELLO = Answer(Text("Hello"), usage=Usage(7, 3))


PROPERTIES = [
    "metadata",
    "tool_types",
    "prompt_template",
    "fn_args",
    "dynamic_config",
    "messages",
    "call_params",
    "call_kwargs",
    "user_message_param",
    "content",
    "finish_reasons",
    "model",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "provider",
    "message_param",
    "tools",
    "tool",
    "common_finish_reasons",
    "common_tools",
    "audio",
    "audio_transcript",
]


def sent(server: ProviderServer) -> dict[str, Any]:
    return server.requests[-1].json


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def test_the_four_ways_to_write_a_prompt(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @openai.call("gpt-4o-mini")
    def shorthand(genre: str) -> str:
        return f"Recommend a {genre} book"

    @openai.call("gpt-4o-mini")
    def messages(genre: str) -> Messages.Type:
        return Messages.User(f"Recommend a {genre} book")

    @openai.call("gpt-4o-mini")
    @prompt_template("Recommend a {genre} book")
    def template(genre: str): ...

    @openai.call("gpt-4o-mini")
    def message_params(genre: str) -> list[BaseMessageParam]:
        return [BaseMessageParam(role="user", content=f"Recommend a {genre} book")]

    for program in (shorthand, messages, template, message_params):
        response = program("fantasy")
        assert response.content == str(response) == "Hello"
        assert sent(server) == {"model": "gpt-4o-mini", "messages": user("Recommend a fantasy book")}


def test_every_property_of_a_response(server: ProviderServer) -> None:
    server.reply(Answer(Text("Hello"), usage=Usage(7, 3, cached=2), model="gpt-4o-mini-2024-07-18"))

    @openai.call("gpt-4o-mini", call_params={"temperature": 0.5})
    @metadata({"tags": {"version:0001"}})
    @prompt_template("SYSTEM: Be brief.\nUSER: Recommend a {genre} book")
    def recommend(genre: str, count: int = 1): ...

    response = recommend("fantasy")
    assert isinstance(response, openai.OpenAICallResponse)
    seen = {name: getattr(response, name) for name in PROPERTIES}
    system = {"role": "system", "content": "Be brief."}
    assert seen == {
        "metadata": {"tags": {"version:0001"}},
        "tool_types": None,
        "prompt_template": "SYSTEM: Be brief.\nUSER: Recommend a {genre} book",
        "fn_args": {"genre": "fantasy", "count": 1},
        "dynamic_config": None,
        "messages": [system, *user("Recommend a fantasy book")],
        "call_params": {"temperature": 0.5},
        "call_kwargs": {
            "model": "gpt-4o-mini",
            "messages": [system, *user("Recommend a fantasy book")],
            "temperature": 0.5,
        },
        "user_message_param": user("Recommend a fantasy book")[0],
        "content": "Hello",
        "finish_reasons": ["stop"],
        "model": "gpt-4o-mini-2024-07-18",
        "input_tokens": 7,
        "cached_tokens": 2,
        "output_tokens": 3,
        "provider": "openai",
        "message_param": {"role": "assistant", "content": "Hello"},
        "tools": None,
        "tool": None,
        "common_finish_reasons": ["stop"],
        "common_tools": None,
        "audio": None,
        "audio_transcript": None,
    }
    assert response.id == response.response.id
    assert response.usage is response.response.usage
    assert response.common_usage.model_dump() == {
        "input_tokens": 7,
        "cached_tokens": 2,
        "output_tokens": 3,
        "total_tokens": 10,
    }
    assert response.common_message_param == BaseMessageParam(role="assistant", content="Hello")
    assert response.common_user_message_param == Messages.User("Recommend a fantasy book")
    assert response.common_messages == [
        Messages.System("Be brief."),
        Messages.User("Recommend a fantasy book"),
    ]
    assert 1_600_000_000_000 < response.start_time <= response.end_time
    assert response.cost == pytest.approx((5 * 0.15 + 2 * 0.075 + 3 * 0.6) / 1e6)
    assert response.cost_metadata.input_tokens == 7
    assert set(response.model_dump()) >= {"content", "finish_reasons", "model", "id", "cost", "message_param"}


def test_a_call_keeps_what_its_function_is(server: ProviderServer) -> None:
    @openai.call("gpt-4o-mini")
    def recommend(genre: str) -> str:
        """Recommends."""
        return genre

    made: Any = recommend
    assert (made.__name__, made.__doc__) == ("recommend", "Recommends.")
    assert callable(made.__wrapped__)
    assert (made._model, made.__mirascope_call__) == ("gpt-4o-mini", True)
    assert openai.call is openai.openai_call


def test_a_chat_with_history(server: ProviderServer) -> None:
    server.reply("Hi Ann.", "Your name is Ann.")

    class Chat(BaseModel):
        history: list[Any] = []

        @openai.call("gpt-4o-mini")
        @prompt_template(
            """
            SYSTEM: You are a librarian.
            MESSAGES: {self.history}
            USER: {query}
            """
        )
        def _step(self, query: str): ...

        def ask(self, query: str) -> str:
            response = self._step(query)
            self.history += [response.user_message_param, response.message_param]
            return response.content

    chat = Chat()
    assert [chat.ask("I am Ann."), chat.ask("Who am I?")] == ["Hi Ann.", "Your name is Ann."]
    assert [(one["role"], one["content"]) for one in sent(server)["messages"]] == [
        ("system", "You are a librarian."),
        ("user", "I am Ann."),
        ("assistant", "Hi Ann."),
        ("user", "Who am I?"),
    ]


def test_the_prompt_class_runs(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @prompt_template("Recommend {what} for {age} years")
    class Recommendation(BasePrompt):
        age: int

        @computed_field
        @property
        def what(self) -> str:
            return "a book"

    prompt = Recommendation(age=9)
    assert prompt.run(openai.call("gpt-4o-mini")).content == "Hello"
    assert sent(server)["messages"] == user("Recommend a book for 9 years")
    run = asyncio.run(prompt.run_async(openai.call("gpt-4o-mini")))
    assert run.content == "Hello"


def test_dynamic_configuration(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @openai.call("gpt-4o-mini", call_params=openai.OpenAICallParams(temperature=0, max_tokens=5))
    @prompt_template("Recommend a {upper} book")
    def recommend(genre: str, heat: float) -> BaseDynamicConfig:
        return {
            "computed_fields": {"upper": genre.upper()},
            "call_params": {"temperature": heat},
            "metadata": {"tags": {"hot"}},
        }

    response = recommend("fantasy", 0.9)
    assert sent(server) == {
        "model": "gpt-4o-mini",
        "messages": user("Recommend a FANTASY book"),
        "temperature": 0.9,
        "max_tokens": 5,
    }
    assert response.metadata == {"tags": {"hot"}}
    assert response.fn_args == {"genre": "fantasy", "heat": 0.9, "upper": "FANTASY"}


def test_dynamic_messages_and_a_client(server: ProviderServer) -> None:
    server.reply_always(HELLO)
    client = OpenAI(base_url=server.base_url("openai"), api_key="tenant-7", default_headers={"x-tenant": "7"})

    @openai.call("gpt-4o-mini")
    def recommend(genre: str) -> openai.OpenAIDynamicConfig:
        return {"messages": [{"role": "user", "content": genre}], "client": client}

    assert recommend("fantasy").content == "Hello"
    assert sent(server)["messages"] == user("fantasy")
    assert server.requests[-1].headers["x-tenant"] == "7"


def test_async_calls_together_and_again_in_new_loops(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @openai.call("gpt-4o-mini")
    async def recommend(genre: str) -> str:
        await asyncio.sleep(0)
        return f"Recommend a {genre} book"

    async def main() -> list[str]:
        answers = await asyncio.gather(*(recommend(genre) for genre in ("fantasy", "horror")))
        return [answer.content for answer in answers]

    assert [asyncio.run(main()) for _ in range(3)] == [["Hello", "Hello"]] * 3


def test_sync_calls_inside_a_running_loop(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @openai.call("gpt-4o-mini")
    def recommend() -> str:
        return "Recommend"

    async def cell() -> str:
        return recommend().content

    assert asyncio.run(cell()) == "Hello"


def test_calls_from_threads(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @openai.call("gpt-4o-mini")
    def recommend(genre: str) -> str:
        return genre

    @openai.call("gpt-4o-mini")
    async def recommend_async(genre: str) -> str:
        return genre

    with ThreadPoolExecutor(4) as pool:
        assert {one.content for one in pool.map(recommend, "abcdefgh")} == {"Hello"}
        ran = pool.map(lambda genre: asyncio.run(recommend_async(genre)), "abcd")
        assert {one.content for one in ran} == {"Hello"}
    assert threading.active_count() < 20


def test_functions_of_every_kind(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    class Book(BaseModel):
        title: str

    class Library:
        name = "Bodleian"

        @openai.call("gpt-4o-mini")
        def ask(self, query: str) -> str:
            return f"{self.name}: {query}"

        @classmethod
        @openai.call("gpt-4o-mini")
        def ask_class(cls, query: str) -> str:
            return f"{cls.name}: {query}"

        @staticmethod
        @openai.call("gpt-4o-mini")
        def ask_static(query: str) -> str:
            return query

    @openai.call("gpt-4o-mini")
    @prompt_template("{first} {words} {named}")
    def collect(first: str, *words: str, named: str = "n", **rest: str): ...

    @openai.call("gpt-4o-mini")
    @prompt_template("{book.title}")
    def read(book: Book): ...

    made = partial(collect, "one", named="two")
    calls = [
        (lambda: Library().ask("x"), "Bodleian: x"),
        (lambda: Library.ask_class("x"), "Bodleian: x"),
        (lambda: Library.ask_static("x"), "x"),
        (lambda: read(Book(title="Emma")), "Emma"),
        (lambda: openai.call("gpt-4o-mini")(lambda: "lambda")(), "lambda"),
        (lambda: openai.call("gpt-4o-mini")(partial(lambda a, b: f"{a}{b}", 1))(2), "12"),
    ]
    for call, text in calls:
        call()
        assert sent(server)["messages"] == user(text)
    response = made("more")
    assert response.fn_args["first"] == "one"
    assert sent(server)["messages"][0]["content"].startswith("one ")


def test_decorators_of_ones_own_between_and_outside(server: ProviderServer) -> None:
    server.reply_always(HELLO)
    log: list[str] = []

    def logged(name: str) -> Any:
        def decorate(fn: Any) -> Any:
            @wraps(fn)
            def inner(*args: Any, **kwargs: Any) -> Any:
                log.append(name)
                return fn(*args, **kwargs)

            return inner

        return decorate

    @logged("outside")
    @openai.call("gpt-4o-mini")
    @metadata({"tags": {"t"}})
    @logged("between")
    @prompt_template("Recommend a {genre} book")
    @logged("inside")
    def recommend(genre: str) -> None: ...

    assert recommend("fantasy").metadata == {"tags": {"t"}}
    assert sent(server)["messages"] == user("Recommend a fantasy book")
    assert log[0] == "outside" and set(log) >= {"outside", "inside"}

    @merge_decorators(openai.call("gpt-4o-mini"), prompt_template("Recommend a {genre} book"))()
    def merged(genre: str) -> None: ...

    merged("horror")
    assert sent(server)["messages"] == user("Recommend a horror book")


def test_a_function_that_makes_a_call_each_time(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    def recommend(genre: str, model: str) -> str:
        @openai.call(model)
        def nested() -> str:
            return f"Recommend a {genre} book"

        return nested().content

    assert [recommend("fantasy", "gpt-4o"), recommend("horror", "gpt-4o-mini")] == ["Hello", "Hello"]
    assert [one.json["model"] for one in server.requests] == ["gpt-4o", "gpt-4o-mini"]


def test_images_as_bytes_urls_and_pil(server: ProviderServer) -> None:
    server.reply_always(HELLO)
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    data = buffer.getvalue()
    buffer.seek(0)
    picture = Image.open(buffer)

    @openai.call("gpt-4o-mini")
    @prompt_template("What is in {url:image(detail=low)} and {data:image}?")
    def template(url: str, data: bytes): ...

    @openai.call("gpt-4o-mini")
    def shorthand(image: Image.Image) -> Messages.Type:
        return ["What is in", image]

    @openai.call("gpt-4o-mini")
    def parts() -> Messages.Type:
        return Messages.User(
            [
                TextPart(type="text", text="What?"),
                ImagePart(type="image", media_type="image/png", image=data, detail=None),
            ]
        )

    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    template("https://example.com/a.png", data)
    content = sent(server)["messages"][0]["content"]
    assert [one["type"] for one in content] == ["text", "image_url", "text", "image_url", "text"]
    assert content[1]["image_url"] == {"url": "https://example.com/a.png", "detail": "low"}
    assert content[3]["image_url"]["url"] == url
    shorthand(picture)
    content = sent(server)["messages"][0]["content"]
    assert content[0] == {"type": "text", "text": "What is in"}
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,")
    parts()
    assert sent(server)["messages"][0]["content"][1]["image_url"]["url"] == url


def test_errors_are_the_sdks_own(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.reply_always(Status(401, "no such key"))

    @openai.call("gpt-4o-mini")
    def recommend() -> str:
        return "Recommend"

    with pytest.raises(AuthenticationError, match="no such key") as caught:
        recommend()
    assert isinstance(caught.value, APIStatusError)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(OpenAIError, match="OPENAI_API_KEY"):
        recommend()


def test_a_prompt_that_is_none(server: ProviderServer) -> None:
    @openai.call("gpt-4o-mini")
    def recommend() -> None: ...

    with pytest.raises(ValueError, match="No prompt template set!"):
        recommend()


def test_every_kind_of_openai_client(server: ProviderServer) -> None:
    server.reply_always(HELLO)
    url = server.base_url("openai")
    azure = AzureOpenAI(azure_endpoint=server.url, api_version="2024-10-21", api_key="azure-key")

    @openai.call("gpt-4o-mini", client=OpenAI(base_url=url, api_key="local"))
    def local() -> str:
        return "Recommend"

    async def local_async() -> str:
        async with AsyncOpenAI(base_url=url, api_key="local") as client:

            @openai.call("gpt-4o-mini", client=client)
            async def ask() -> str:
                return "Recommend"

            return (await ask()).content

    @openai.call("deployment", client=azure)
    def deployed() -> str:
        return "Recommend"

    assert local().content == "Hello"
    assert server.requests[-1].headers["authorization"] == "Bearer local"
    assert asyncio.run(local_async()) == "Hello"
    assert deployed().content == "Hello"
    assert server.requests[-1].path.startswith("/openai/deployments/deployment/chat/completions")


def test_a_response_pickles_and_copies(server: ProviderServer) -> None:
    server.reply(HELLO)
    response = openai.call("gpt-4o-mini")(lambda: "Recommend")()
    again = pickle.loads(pickle.dumps(response))
    assert (again.content, again.usage, again.messages) == ("Hello", response.usage, response.messages)
    assert response.model_copy().content == "Hello"


def test_anthropic_has_the_same_interface(server: ProviderServer) -> None:
    server.reply_always(HELLO)

    @anthropic.call("claude-3-5-sonnet-20240620")
    @prompt_template("SYSTEM: Be brief.\nUSER: Recommend a {genre} book")
    def recommend(genre: str): ...

    response = recommend("fantasy")
    assert isinstance(response, anthropic.AnthropicCallResponse)
    assert (response.content, response.finish_reasons, response.common_finish_reasons) == (
        "Hello",
        ["end_turn"],
        ["stop"],
    )
    assert (response.input_tokens, response.output_tokens, response.provider) == (7, 3, "anthropic")
    body = sent(server)
    assert (body["system"], body["max_tokens"], body["messages"]) == (
        "Be brief.",
        1024,
        user("Recommend a fantasy book"),
    )
    assert response.message_param["role"] == "assistant"
    assert response.common_message_param.role == "assistant"


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_of_the_wrong_kind(server: ProviderServer, stream: bool) -> None:
    client = AsyncOpenAI()

    @openai.call("gpt-4o-mini", client=client, stream=stream)
    def recommend() -> str:
        return "Recommend"

    with pytest.raises(TypeError, match=r"recommend is a sync function, but its client \(AsyncOpenAI\) is async"):
        list(recommend())
    assert server.requests == []

    server.reply("Hello")

    @openai.call("gpt-4o-mini", client=OpenAI())
    async def ask() -> str:
        return "Recommend"

    assert asyncio.run(ask()).content == "Hello"
