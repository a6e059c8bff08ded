"""Providers of a program's own, built with v1's factories: the program of `docs/providers.md`, over real HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

import ferroscope
from ferroscope.core.base import (
    BaseCallResponse,
    BaseDynamicConfig,
    BaseStructuredStream,
    BaseTool,
    Messages,
    _utils,
    metadata,
    prompt_template,
)
from ferroscope.core.base.stream import stream_factory
from ferroscope.core.base.stream_events import FinishEvent, TextEvent
from ferroscope.core.base.structured_stream import structured_stream_factory
from ferroscope.core.base.types import CostMetadata
from ferroscope.errors import ResponseModelError
from ferroscope.integrations import middleware_factory
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall, Usage

PAGE = (Path(__file__).parents[3] / "docs/providers.md").read_text(encoding="utf-8")
REGISTRATION, PROGRAM, CHUNKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
BOOK = '{"title": "Emma", "pages": 350}'


class Book(BaseModel):
    title: str
    pages: int


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(default=Answer(Text("The Name of the Wind"), usage=Usage(9, 5))) as server:
        yield server


@pytest.fixture
def acme(server: ProviderServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("ACME_URL", server.base_url("openai"))
    names: dict[str, Any] = {"__name__": "acme"}
    exec(compile(PROGRAM, "providers.md", "exec", dont_inherit=True), names)
    assert capsys.readouterr().out == "The Name of the Wind\nThe Name of the Wind"
    server.forget()
    return SimpleNamespace(**names)


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, acme: Any) -> Callable[..., Any]:
    """A function that decorates a prompt function of the kind with options, and returns what its call returns."""

    def run(prompt: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if request.param == "sync":
            return acme.acme_call("acme-1", **options)(prompt)(*args)

        async def arun() -> Any:
            async def aprompt(*args: Any) -> Any:
                return prompt(*args)

            aprompt.__signature__ = __import__("inspect").signature(prompt)  # type: ignore[attr-defined]
            result = await acme.acme_call("acme-1", **options)(aprompt)(*args)
            if hasattr(result, "__aiter__"):
                result.seen = [item async for item in result]
            return result

        return asyncio.run(arun())

    return run


def items(stream: Any) -> list[Any]:
    return stream.seen if hasattr(stream, "seen") else list(stream)


def recommend(genre: str) -> str:
    return f"Recommend a {genre} book"


def weather(city: str) -> str:
    """Return the weather."""
    return f"sun in {city}"


def test_a_call_returns_the_programs_response(acme: Any, call: Callable[..., Any], server: ProviderServer) -> None:
    response = call(recommend, "fantasy", call_params={"temperature": 1})
    assert type(response) is acme.AcmeCallResponse
    assert (response.content, response.provider, response._model) == ("The Name of the Wind", "acme", "acme-1")
    assert response.fn_args == {"genre": "fantasy"}
    assert response.user_message_param == {"role": "user", "content": "Recommend a fantasy book"}
    assert response.common_usage == ferroscope.core.base.Usage(
        input_tokens=9, cached_tokens=0, output_tokens=5, total_tokens=14
    )
    assert 0 < response.start_time <= response.end_time
    assert server.requests[0].json == {
        "temperature": 1,
        "model": "acme-1",
        "messages": [{"role": "user", "content": "Recommend a fantasy book"}],
    }


def test_the_default_parameters_and_the_output_parser_apply(call: Callable[..., Any], server: ProviderServer) -> None:
    assert call(recommend, "fantasy", output_parser=lambda response: response.content.upper()) == "THE NAME OF THE WIND"
    assert server.requests[0].json["temperature"] == 0


def test_a_template_its_computed_fields_and_metadata_reach_the_call(acme: Any, server: ProviderServer) -> None:
    @acme.acme_call("acme-1")  # type: ignore[untyped-decorator]
    @prompt_template("SYSTEM: Be {mood}.\nUSER: Recommend a {genre} book")
    @metadata({"tags": {"books"}})
    def recommend_kindly(genre: str) -> BaseDynamicConfig[Any, Any, Any]:
        return {"computed_fields": {"mood": "kind"}, "call_params": {"temperature": 0.5}}

    response = recommend_kindly("fantasy")
    assert response.prompt_template == "SYSTEM: Be {mood}.\nUSER: Recommend a {genre} book"
    assert response.fn_args == {"genre": "fantasy", "mood": "kind"}
    assert response.metadata == {"tags": {"books"}}
    assert server.requests[0].json["messages"][0] == {"role": "system", "content": "Be kind."}
    assert server.requests[0].json["temperature"] == 0.5


def test_a_dynamic_client_serves_only_its_own_call(acme: Any, server: ProviderServer) -> None:
    class Other(acme.AcmeClient):  # type: ignore[misc]
        def create(self, **body: Any) -> Any:
            return super().create(**{**body, "user": "other"})

    @acme.acme_call("acme-1")  # type: ignore[untyped-decorator]
    def ask(client: object) -> dict[str, Any]:
        return {"messages": [Messages.User("Hi")], "client": client}

    ask(Other())
    ask(None)
    assert [request.json.get("user") for request in server.requests] == ["other", None]


def test_tools_are_called_and_answered(call: Callable[..., Any], server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("weather", {"city": "Oslo"}), ToolCall("weather", {"city": "Rome"})))
    response = call(recommend, "fantasy", tools=[weather])
    outputs = [(tool, tool.call()) for tool in response.tools]
    assert [output for _, output in outputs] == ["sun in Oslo", "sun in Rome"]
    assert response.tool.args == {"city": "Oslo"}
    sent = response.tool_message_params(outputs)
    assert [message["content"] for message in sent] == ["sun in Oslo", "sun in Rome"]
    assert server.requests[0].json["tools"][0]["function"]["name"] == "weather"


def test_a_stream_adds_up_its_chunks(acme: Any, call: Callable[..., Any]) -> None:
    stream = call(recommend, "fantasy", stream=True)
    assert "".join(chunk.content for chunk, _ in items(stream)) == "The Name of the Wind"
    assert type(stream) is acme.AcmeStream
    assert (stream.content, stream.provider, stream.finish_reasons) == ("The Name of the Wind", "acme", ["stop"])
    assert stream.message_param == {"role": "assistant", "content": "The Name of the Wind"}
    assert stream.user_message_param == {"role": "user", "content": "Recommend a fantasy book"}
    response = stream.construct_call_response()
    assert (type(response), response.content) == (acme.AcmeCallResponse, "The Name of the Wind")
    assert 0 < stream.start_time <= stream.end_time


def test_a_stream_yields_tools(call: Callable[..., Any], server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("weather", {"city": "Oslo"}), ToolCall("weather", {"city": "Rome"})))
    stream = call(recommend, "fantasy", stream=True, tools=[weather])
    assert [tool.call() for _, tool in items(stream) if tool] == ["sun in Oslo", "sun in Rome"]
    calls = stream.message_param["tool_calls"]
    assert [call["function"]["name"] for call in calls] == ["weather", "weather"]


@pytest.mark.parametrize("json_mode", [False, True])
def test_a_response_model_is_extracted(call: Callable[..., Any], server: ProviderServer, json_mode: bool) -> None:
    answer = Text(BOOK) if json_mode else ToolCall("Book", {"title": "Emma", "pages": 350})
    server.reply(Answer(answer))
    book = call(recommend, "fantasy", response_model=Book, json_mode=json_mode)
    assert book == Book(title="Emma", pages=350)
    assert book._response.model
    asked = server.requests[0].json
    assert ("tools" in asked) is not json_mode
    assert ("schema" in asked["messages"][-1]["content"]) is json_mode


def test_a_builtin_is_extracted(call: Callable[..., Any], server: ProviderServer) -> None:
    server.reply(Answer(ToolCall("list", {"value": ["a", "b"]})))
    assert call(recommend, "fantasy", response_model=list[str]) == ["a", "b"]


@pytest.mark.parametrize(("text", "error"), [("no JSON", ResponseModelError), ('{"title": "Emma"}', ValidationError)])
def test_a_failed_extraction_has_the_response(
    call: Callable[..., Any], server: ProviderServer, text: str, error: type[Exception]
) -> None:
    server.reply(Answer(Text(text)))
    with pytest.raises(error) as raised:
        call(recommend, "fantasy", response_model=Book, json_mode=True)
    assert raised.value._response.content == text  # type: ignore[attr-defined]


def test_a_tool_call_in_place_of_an_answer_is_the_result(
    acme: Any, call: Callable[..., Any], server: ProviderServer
) -> None:
    server.reply(Answer(ToolCall("weather", {"city": "Oslo"})))
    response = call(recommend, "fantasy", response_model=Book, tools=[weather])
    assert (type(response), response.tool.args) == (acme.AcmeCallResponse, {"city": "Oslo"})


@pytest.mark.parametrize("json_mode", [False, True])
def test_a_response_model_is_streamed(call: Callable[..., Any], server: ProviderServer, json_mode: bool) -> None:
    answer = Text(BOOK) if json_mode else ToolCall("Book", {"title": "Emma", "pages": 350})
    server.reply(Answer(answer))
    stream = call(recommend, "fantasy", stream=True, response_model=Book, json_mode=json_mode)
    seen = items(stream)
    assert seen[-1] == Book(title="Emma", pages=350)
    assert type(seen[-1]) is Book
    assert all(isinstance(book, Book) for book in seen)
    assert stream.constructed_response_model is seen[-1]


def test_tools_beside_a_streamed_response_model_are_reported(acme: Any) -> None:
    with pytest.warns(UserWarning, match="no effect on a stream with a response model"):
        acme.acme_call("acme-1", stream=True, response_model=Book, tools=[weather])


def test_wrong_options_are_refused(acme: Any) -> None:
    with pytest.raises(ValueError, match=re.escape("Cannot use `output_parser` with `stream=True`.")):
        acme.acme_call("acme-1", stream=True, output_parser=str)
    with pytest.raises(TypeError, match=re.escape("acme.call(output_parser=...)")):
        acme.acme_call("acme-1", output_parser=3)


def test_the_cost_comes_from_registered_prices_or_from_the_class(acme: Any) -> None:
    assert acme.recommend_book("fantasy").cost is None

    class Charged(acme.AcmeCallResponse):  # type: ignore[misc]
        @property
        def cost_metadata(self) -> CostMetadata:
            return CostMetadata(cost=0.25)

    response = acme.recommend_book("fantasy")
    assert Charged.model_construct(**vars(response)).cost == 0.25


def test_a_class_without_a_provider_has_its_own_counts(acme: Any) -> None:
    members = {name: value for name, value in vars(acme.AcmeCallResponse).items() if isinstance(value, property)}
    rest = {"tool_message_params": vars(acme.AcmeCallResponse)["tool_message_params"], "__module__": "acme"}
    nameless = type("Nameless", (BaseCallResponse,), {**members, **rest, "usage": property(lambda self: object())})
    counts = {"input_tokens": property(lambda self: 3), "output_tokens": property(lambda self: 4)}
    counted: Any = type("Counted", (nameless,), {**counts, "__module__": "acme"})
    response = counted.model_construct(**vars(acme.recommend_book("fantasy")))
    assert (response.provider, response.cost) == ("NO PROVIDER", None)
    assert response.common_usage is not None
    assert (response.common_usage.input_tokens, response.common_usage.output_tokens) == (3, 4)


def test_other_views_of_the_stream_have_the_same_content(acme: Any, server: ProviderServer) -> None:
    assert "".join(acme.recommend_slowly("fantasy").text()) == "The Name of the Wind"
    events = list(acme.recommend_slowly("fantasy").events())
    assert {type(event) for event in events} == {TextEvent, FinishEvent}
    assert acme.recommend_slowly("fantasy").collect().content == "The Name of the Wind"
    with pytest.raises(NotImplementedError, match="needs the bytes of a response"):
        acme.recommend_slowly("fantasy").sse()


def test_the_generator_of_a_stream_can_be_replaced(acme: Any) -> None:
    first, second = acme.recommend_slowly("fantasy"), acme.recommend_slowly("fantasy")
    first.stream = second.stream
    assert "".join(chunk.content for chunk, _ in first) == "The Name of the Wind"
    second.stream = None
    with pytest.raises(AssertionError, match="Stream must be a generator for __iter__"):
        list(second)


@pytest.mark.parametrize("is_decorated", [False, True])
def test_middleware_follows_a_class_that_iterates_by_itself(acme: Any, is_decorated: bool) -> None:
    class Own(acme.AcmeStream):  # type: ignore[misc]
        def __iter__(self) -> Any:
            yield "chunk", None
            raise LookupError("own")

    def start() -> Any:
        stream = acme.recommend_slowly("fantasy")
        stream.__class__ = Own
        return stream

    seen: list[str] = []
    middleware = middleware_factory(
        handle_error=lambda error, fn, context: seen.append(str(error)),
        handle_stream=lambda stream, fn, context: seen.append(stream.content),
        custom_decorator=(lambda fn: lambda iteration: iteration) if is_decorated else None,
    )
    assert list(middleware(start)()) == [("chunk", None)]
    assert seen == ["own", ""]


def test_a_stream_left_early_keeps_what_it_received(acme: Any) -> None:
    stream = acme.recommend_slowly("fantasy")
    for chunk, _ in stream:
        if chunk.content:
            break
    stream.close()
    assert stream.content and "The Name of the Wind".startswith(stream.content)
    assert list(stream) == []


def test_the_wrong_kind_of_loop_is_refused(acme: Any) -> None:
    async def loop() -> None:
        async for _ in acme.recommend_slowly("fantasy"):
            raise AssertionError("a sync stream yielded to an async loop")

    with pytest.raises(AssertionError, match="Stream must be an async generator for __aiter__"):
        asyncio.run(loop())


def test_a_class_adds_its_own_properties(acme: Any) -> None:
    class Counted(acme.AcmeStream):  # type: ignore[misc]
        chunks = 0

        def _update_properties(self, chunk: Any) -> None:
            super()._update_properties(chunk)
            self.chunks += 1

    decorate = stream_factory(
        TCallResponse=acme.AcmeCallResponse,
        TStream=Counted,
        setup_call=acme.setup_call,
        handle_stream=acme.handle_stream,
        handle_stream_async=acme.handle_stream_async,
    )
    stream = decorate(recommend, "acme-1")("fantasy")
    assert len(list(stream)) == stream.chunks > 1
    assert stream.content == "The Name of the Wind"


def test_the_factory_of_structured_streams_alone(acme: Any, server: ProviderServer) -> None:
    server.reply(Answer(Text(BOOK)))
    decorate = structured_stream_factory(
        TCallResponse=acme.AcmeCallResponse,
        TCallResponseChunk=acme.AcmeCallResponseChunk,
        TStream=acme.AcmeStream,
        TToolType=acme.AcmeTool,
        setup_call=acme.setup_call,
        get_json_output=acme.get_json_output,
    )
    assert list(decorate(recommend, "acme-1", Book, json_mode=True)("fantasy"))[-1] == Book(title="Emma", pages=350)


def test_a_structured_stream_over_a_stream_of_chunks(acme: Any, server: ProviderServer) -> None:
    server.reply(Answer(Text(BOOK)))
    structured = BaseStructuredStream(
        stream=acme.recommend_slowly("fantasy"), response_model=Book, fields_from_call_args={}
    )
    assert list(structured)[-1] == Book(title="Emma", pages=350)


def test_a_class_without_content_names_what_it_lacks(acme: Any) -> None:
    class Empty(acme.AcmeCallResponseChunk):  # type: ignore[misc]
        content = ferroscope.core.base.BaseCallResponseChunk.content

    with pytest.raises(NotImplementedError, match=re.escape("must define the property `content`")):
        assert Empty(chunk={"choices": []}).content


def test_common_messages_use_the_converter_of_the_class(acme: Any) -> None:
    response = acme.recommend_book("fantasy")
    with pytest.raises(NotImplementedError, match="_message_converter"):
        assert response.common_messages

    class Converter(_utils.BaseMessageParamConverter):
        @staticmethod
        def from_provider(message_params: list[Any]) -> list[Any]:
            return [Messages.User(message["content"]) for message in message_params]

    class Annotated(acme.AcmeCallResponse):  # type: ignore[misc]
        _message_converter: type[Converter] = Converter
        _provider: str = "other"

    annotated = Annotated(**{name: getattr(response, name) for name in type(response).model_fields})
    assert annotated.common_messages == [Messages.User("Recommend a fantasy book")]
    assert annotated.provider == "other"
    acme.AcmeCallResponse._message_converter = Converter
    assert response.common_messages == [Messages.User("Recommend a fantasy book")]


def test_the_arguments_of_a_tool_call_are_read_as_in_v1() -> None:
    text = '{"title": "Emma", "author": "Jane'
    assert BaseTool._dict_from_json("") == {}
    assert BaseTool._dict_from_json('{"title": "Emma"}') == {"title": "Emma"}
    assert BaseTool._dict_from_json(text, allow_partial=True) == {"title": "Emma", "author": "Jane"}
    assert BaseTool._dict_from_json("{", allow_partial=True) == {}
    with pytest.raises(ValueError, match="EOF"):
        BaseTool._dict_from_json(text)


def test_the_registered_server_of_the_page_can_be_called(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv("ACME_BASE_URL", server.base_url("openai"))
    monkeypatch.setenv("ACME_API_KEY", "k")
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(REGISTRATION, "providers.md", "exec", dont_inherit=True), names)
    try:
        assert names["recommend_book"]("fantasy").content == "The Name of the Wind"
    finally:
        ferroscope.unregister_provider("acme")


def test_a_stream_of_given_chunks_before_its_first_chunk(acme: Any) -> None:
    openai = pytest.importorskip("ferroscope.core.openai")
    fields: dict[str, Any] = {
        "metadata": {},
        "tool_types": None,
        "prompt_template": None,
        "fn_args": {},
        "dynamic_config": None,
    }
    stream = openai.OpenAIStream(
        stream=iter(()),
        call_response_type=openai.OpenAICallResponse,
        model="gpt-4o",
        messages=[],
        call_params={},
        call_kwargs={},
        **fields,
    )
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    choice = {"index": 0, "delta": {"content": "Hi"}}
    chunk = pytest.importorskip("openai.types.chat").ChatCompletionChunk.model_validate({**head, "choices": [choice]})
    cut = openai.OpenAIStream(
        stream=[(openai.OpenAICallResponseChunk(chunk=chunk), None)],
        call_response_type=openai.OpenAICallResponse,
        model="gpt-4o",
        messages=[],
        call_params={},
        call_kwargs={},
        **fields,
    )
    assert cut.collect().finish_reasons == []
    assert cut.content == "Hi"
    assert (stream._provider, openai.OpenAICallResponse._provider) == ("openai", "openai")
    assert (stream.cost, stream.audio_id, stream.content) == (None, None, "")
    with pytest.raises(ValueError, match="check if the stream has been consumed"):
        stream.construct_call_response()


def test_the_stream_from_chunks_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("openai")
    exec(compile(CHUNKS, "providers.md", "exec", dont_inherit=True), {"__name__": "page", "Iterator": Iterator})
    assert capsys.readouterr().out == "The Name of the Wind['stop']\n"
