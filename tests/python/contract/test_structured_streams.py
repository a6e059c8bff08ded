"""Answers that are read as their response model while they are written."""

from __future__ import annotations

import gc
import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, RootModel, ValidationError, field_validator, model_validator

from ferroscope import errors
from ferroscope.core.base import BaseCallResponse, BaseMessageParam, FromCallArgs
from ferroscope.core.base.structured_stream import BaseStructuredStream
from ferroscope.testing import Answer, Cut, Garbage, Stall, Text, ToolCall, Usage

from .conftest import Caller


class Book(BaseModel):
    title: str
    author: str


EMMA = '{"title": "Emma", "author": "Jane Austen"}'
PIECES = ['{"title"', ': "Em', 'ma", "author": "Jane', ' Austen"}']
BOOK = Book(title="Emma", author="Jane Austen")

WAYS: list[Any] = [
    pytest.param({}, id="call"),
    pytest.param({"json_mode": True}, id="text"),
]


def needs_pieces(caller: Caller, options: dict[str, Any]) -> None:
    if not (options.get("json_mode") or caller.wire.cuts_arguments):
        pytest.skip("arguments come whole, or value by value: see test_google")


def answer(options: dict[str, Any], pieces: list[str], name: str = "Book", **more: Any) -> Answer:
    """An answer in these pieces, in the way that was asked for."""
    text = "".join(pieces)
    if options.get("json_mode") or options.get("tools"):
        return Answer(Text(text, pieces), **more)
    return Answer(ToolCall(name, text, chunks=pieces), **more)


def shown(instance: Any) -> tuple[str, dict[str, Any]]:
    return type(instance).__name__, {name: value for name, value in instance if value is not None}


@pytest.mark.parametrize("options", WAYS)
def test_instances_grow_and_the_last_is_whole(caller: Caller, options: dict[str, Any]) -> None:
    needs_pieces(caller, options)
    caller.server.reply(answer(options, PIECES, usage=Usage(9, 3)))
    before = len(caller.server.requests)
    stream = caller.call("?", stream=True, response_model=Book, **options)
    assert isinstance(stream, BaseStructuredStream)
    assert len(caller.server.requests) == before  # the request is sent by iterating
    assert not hasattr(stream, "constructed_response_model")
    seen = caller.consume(stream)
    assert [shown(instance) for instance in seen] == [
        ("PartialBook", {}),
        ("PartialBook", {"title": "Em"}),
        ("PartialBook", {"title": "Emma", "author": "Jane"}),
        ("PartialBook", {"title": "Emma", "author": "Jane Austen"}),
        ("Book", {"title": "Emma", "author": "Jane Austen"}),
    ]
    assert all(isinstance(instance, Book) for instance in seen)
    assert seen[-1] == BOOK
    assert stream.constructed_response_model is seen[-1]
    assert stream.response_model is Book
    # v1 promised it and had it not.
    assert seen[-1]._response.output_tokens == stream.stream.output_tokens == 3
    assert stream._response is seen[-1]._response
    assert stream.stream.finish_reasons == stream._response.finish_reasons
    assert 0 < stream.stream.start_time <= stream.stream.end_time


@pytest.mark.parametrize("options", WAYS)
def test_the_request_is_the_one_of_the_whole_answer(caller: Caller, options: dict[str, Any]) -> None:
    """v1 forced no tool and sent no schema when it streamed (D12)."""
    caller.server.reply(answer(options, [EMMA]), answer(options, [EMMA]))
    caller.call("?", response_model=Book, **options)
    caller.consume(caller.call("?", response_model=Book, stream=True, **options))
    whole, streamed = (request.json for request in caller.server.requests)
    assert {key: value for key, value in streamed.items() if key not in ("stream", "stream_options")} == {
        key: value for key, value in whole.items() if key != "stream"
    }


@pytest.mark.parametrize("options", WAYS)
def test_a_streamed_answer_goes_on_as_a_message(caller: Caller, options: dict[str, Any]) -> None:
    caller.server.reply(answer(options, PIECES), Answer("Fine"))
    stream = caller.call("?", stream=True, response_model=Book, **options)
    caller.consume(stream)
    caller.call(lambda: [stream.stream.message_param, BaseMessageParam(role="user", content="Thanks")])
    assert "Jane Austen" in json.dumps(caller.wire.messages(caller.server.requests[-1].json)[0])


# ---- when an instance is given


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize(
    ("every", "titles"),
    [
        ("delta", [None, None, "Em", "Emma", "Emma", "Emma", "Emma", "Emma", "Emma"]),
        ("change", [None, "Em", "Emma", "Emma", "Emma", "Emma"]),
        ("field", ["Emma", "Emma", "Emma"]),
    ],
)
def test_instances_for_every_piece_every_change_or_every_field(
    caller: Caller, options: dict[str, Any], every: str, titles: list[str | None]
) -> None:
    needs_pieces(caller, options)
    pieces = ["{", '"title"', ': "Em', 'ma"', " , ", ' "author": "Jane', ' Austen"', "}"]
    caller.server.reply(answer(options, pieces))
    stream = caller.call("?", stream={"every": every}, response_model=Book, **options)
    seen = caller.consume(stream)
    assert [instance.title for instance in seen] == titles
    assert seen[-1] == BOOK


def test_which_fields_are_done_can_be_asked(caller: Caller) -> None:
    needs_pieces(caller, {})
    caller.server.reply(answer({}, PIECES))
    stream = caller.call("?", stream=True, response_model=Book)
    done: list[tuple[bool, bool, bool]] = []

    def note() -> None:
        done.append((stream.is_done("title"), stream.is_done("author"), stream.is_done()))

    def sync() -> None:
        for _ in stream:
            note()

    async def asynchronous() -> None:
        async for _ in stream:
            note()

    caller.run(sync, asynchronous)
    f, t = False, True
    assert done == [(f, f, f), (f, f, f), (t, f, f), (t, t, t), (t, t, t)]


# ---- what an instance shows


class Author(BaseModel):
    name: str
    born: int | None = None


class Volume(BaseModel):
    title: Annotated[str, Field(min_length=4, pattern="^[A-Z]")]
    year: int = Field(default=1800, ge=1500)
    tags: list[str] = Field(default_factory=list, max_length=2)
    author: Author | None = None
    editors: list[Author] = Field(default_factory=list)
    kind: Literal["novel", "essay"] | None = None

    @field_validator("title")
    @classmethod
    def is_upper(cls, title: str) -> str:
        if not title.isupper():
            raise ValueError("not upper")
        return title

    @model_validator(mode="after")
    def has_author(self) -> Volume:
        if self.author is None:
            raise ValueError("no author")
        return self


VOLUME = {
    "title": "EMMA",
    "tags": ["a", "b"],
    "author": {"name": "Jane", "born": 1775},
    "editors": [{"name": "Ann"}, {"name": "Bob", "born": None}],
    "kind": "novel",
}


@pytest.mark.parametrize("options", WAYS)
def test_constraints_and_validators_do_not_stop_what_is_growing(caller: Caller, options: dict[str, Any]) -> None:
    """v1 ran them on unfinished values, and died of `X | None` and of default factories (D2, D12)."""
    needs_pieces(caller, options)
    text = json.dumps(VOLUME)
    caller.server.reply(answer(options, list(text), name="Volume"))
    stream = caller.call("?", stream={"every": "change"}, response_model=Volume, **options)
    seen = caller.consume(stream)
    assert seen[-1] == Volume.model_validate(VOLUME)
    assert shown(seen[1]) == ("PartialVolume", {"title": ""})
    assert seen[-2].model_dump(exclude_none=True) == Volume.model_validate(VOLUME).model_dump(
        exclude_none=True, exclude={"year"}
    )
    names = [type(instance.author).__name__ for instance in seen if instance.author is not None]
    assert (names[0], names[-1]) == ("PartialAuthor", "Author")


@pytest.mark.parametrize("options", WAYS)
def test_the_last_instance_is_validated(caller: Caller, options: dict[str, Any]) -> None:
    needs_pieces(caller, options)
    caller.server.reply(answer(options, ['{"title": "Em', 'ma", "author": null}'], name="Volume"))
    stream = caller.call("?", stream=True, response_model=Volume, **options)
    seen: list[Any] = []
    with pytest.raises(ValidationError, match="not upper") as caught:
        collect(caller, stream, seen)
    # A complete value that its validator refuses shows as what its type makes of it.
    assert [instance.title for instance in seen] == ["Em", "Emma"]
    assert caught.value._response is stream._response  # type: ignore[attr-defined]
    assert not hasattr(stream, "constructed_response_model")


def collect(caller: Caller, stream: Any, seen: list[Any]) -> None:
    """Iterates over a stream that may break, and keeps what came before."""

    def sync() -> None:
        seen.extend(stream)

    async def asynchronous() -> None:
        async for one in stream:
            seen.append(one)

    caller.run(sync, asynchronous)


def test_instances_that_were_given_out_do_not_change(caller: Caller) -> None:
    class Library(BaseModel):
        books: list[Book]

    text = json.dumps({"books": [json.loads(EMMA)] * 3})
    caller.server.reply(answer({}, [text[at : at + 8] for at in range(0, len(text), 8)], name="Library"))
    stream = caller.call("?", stream=True, response_model=Library)
    kept: list[tuple[Any, Any]] = []

    def sync() -> None:
        kept.extend((one, one.model_dump()) for one in stream)

    async def asynchronous() -> None:
        async for one in stream:
            kept.append((one, one.model_dump()))

    caller.run(sync, asynchronous)
    assert [one.model_dump() for one, _ in kept] == [dump for _, dump in kept]


class Names(RootModel[list[str]]):
    pass


@pytest.mark.parametrize("form", ['{"value": {}}', "{}", "Here:\n```json\n{}\n```"], ids=["asked", "bare", "fenced"])
@pytest.mark.parametrize(
    ("response_model", "text", "values"),
    [
        # A bracket may begin the tag `[think]`, so it waits for the next letter.
        (list[str], '["ab", "c"]', [[""], ["a"], ["ab"], ["ab", ""], ["ab", "c"]]),
        (list[int], "[12, 3]", [[], [12], [12, 3]]),
        (dict[str, int], '{"a": 1, "b": 2}', [{}, {"a": 1}, {"a": 1, "b": 2}]),
        (list[str] | None, '["a"]', [[""], ["a"]]),
    ],
    ids=str,
)
def test_values_that_are_no_object_grow(
    caller: Caller, response_model: Any, text: str, values: list[Any], form: str
) -> None:
    text = form.replace("{}", text)
    caller.server.reply(Answer(Text(text, list(text))))
    seen = caller.consume(caller.call("?", stream={"every": "change"}, response_model=response_model, json_mode=True))
    # An object's first key says whether it is the one that was asked for.
    bare_object = isinstance(values[0], dict) and "value" not in text
    distinct = [one for at, one in enumerate(seen) if at == 0 or seen[at - 1] != one]
    assert distinct == (values[1:] if bare_object else values)


@pytest.mark.parametrize(
    ("response_model", "text", "values"),
    [
        (str, '{"value": "abc"}', ["", "a", "ab", "abc"]),
        (int, '{"value": 123}', [123]),
        (Literal["novel"], '{"value": "novel"}', ["novel"]),
        (int | None, '{"value": null}', [None]),
        (Book | str, '{"value": "ab"}', ["", "a", "ab"]),
        (bool, "true", [True]),
    ],
    ids=str,
)
def test_values_of_every_kind(caller: Caller, response_model: Any, text: str, values: list[Any]) -> None:
    caller.server.reply(Answer(Text(text, list(text))))
    seen = caller.consume(caller.call("?", stream=True, response_model=response_model, json_mode=True))
    distinct = [one for at, one in enumerate(seen) if at == 0 or seen[at - 1] != one]
    assert distinct == values


def test_root_models_grow(caller: Caller) -> None:
    needs_pieces(caller, {})
    text = '{"value": ["a"]}'
    caller.server.reply(Answer(ToolCall("Names", text, chunks=list(text))))
    seen = caller.consume(caller.call("?", stream={"every": "change"}, response_model=Names))
    # Tried again with everything that is new in it, so some come twice.
    distinct = dict.fromkeys((type(one).__name__, tuple(one.root)) for one in seen)
    assert list(distinct) == [
        ("PartialNames", ()),
        ("PartialNames", ("",)),
        ("PartialNames", ("a",)),
        ("Names", ("a",)),
    ]


@pytest.mark.parametrize("text", ['[{"value": 1}, {"value": 2}]', '{"value": [{"value": 1}, {"value": 2}]}'])
def test_a_bare_list_of_objects_with_a_field_named_value(caller: Caller, text: str) -> None:
    class Point(BaseModel):
        value: int

    caller.server.reply(Answer(Text(text, list(text))))
    seen = caller.consume(caller.call("?", stream={"every": "change"}, response_model=list[Point], json_mode=True))
    assert [point.value for point in seen[-2]] == [1, 2]
    assert seen[-1] == [Point(value=1), Point(value=2)]


def test_prose_and_fences_around_the_document_do_not_matter(caller: Caller) -> None:
    text = f"Of {{all}} books:\n```json\n{EMMA}\n```\nIs it {{good}}? }}"
    caller.server.reply(Answer(Text(text, list(text))))
    seen = caller.consume(caller.call("?", stream={"every": "change"}, response_model=Book, json_mode=True))
    assert seen[-1] == BOOK
    titles = [instance.title for instance in seen if instance.title]
    assert sorted(set(titles), key=titles.index) == ["E", "Em", "Emm", "Emma"]


# ---- the call's own arguments


class Recommendation(BaseModel):
    genre: Annotated[str, FromCallArgs()]
    title: str


@pytest.mark.parametrize("options", WAYS)
def test_arguments_of_the_call_are_there_from_the_first_instance_on(caller: Caller, options: dict[str, Any]) -> None:
    needs_pieces(caller, options)
    pieces = ["{", '"title": "Em', 'ma", "genre": "made up"}']
    caller.server.reply(answer(options, pieces, name="Recommendation"))
    stream = caller.call(lambda genre: "?", "novel", stream=True, response_model=Recommendation, **options)
    assert stream.fields_from_call_args == {"genre": "novel"}
    seen = caller.consume(stream)
    assert [(one.genre, one.title) for one in seen] == [
        ("novel", None),
        ("novel", "Em"),
        ("novel", "Emma"),
        ("novel", "Emma"),
    ]


def test_an_argument_that_is_missing_is_told_by_the_call(caller: Caller) -> None:
    with pytest.raises(ValueError, match="'genre' from the call's arguments"):
        caller.call("?", stream=True, response_model=Recommendation)


# ---- with tools


def shelve(place: str) -> str:
    """Puts the book on a shelf."""
    return f"in {place}"


def test_tools_beside_a_response_model_are_offered(caller: Caller) -> None:
    """v1 ignored them (D12)."""
    caller.server.reply(
        Answer(Text(EMMA, PIECES)), Answer(Text("Let me see."), ToolCall("shelve", {"place": "the hall"}))
    )
    stream = caller.call("?", stream=True, response_model=Book, tools=[shelve])
    assert caller.consume(stream)[-1] == BOOK
    assert not stream._response.tools

    stream = caller.call("?", stream=True, response_model=Book, tools=[shelve])
    (response,) = caller.consume(stream)
    assert isinstance(response, BaseCallResponse)
    assert response is stream._response
    assert response.content == "Let me see."
    assert response.tools is not None
    assert [tool.call() for tool in response.tools] == ["in the hall"]
    assert not hasattr(stream, "constructed_response_model")
    assert "shelve" in json.dumps(caller.wire.tools(caller.server.requests[-1].json))


# ---- what goes wrong


def test_after_malformed_json_the_stream_is_read_to_its_end(caller: Caller) -> None:
    pieces = ['{"title": "Em', 'ma" oh', " no, that", " is wrong"]
    caller.server.reply(answer({"json_mode": True}, pieces, usage=Usage(9, 3)))
    stream = caller.call("?", stream=True, response_model=Book, json_mode=True)
    seen: list[Any] = []
    with pytest.raises(errors.ResponseModelError, match="byte 17: 'o' where ',' or '}' was expected") as caught:
        collect(caller, stream, seen)
    assert [one.title for one in seen] == ["Em"]
    assert caught.value.text == "".join(pieces) == stream.stream.content
    assert caught.value.response.output_tokens == 3


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_cut_connection_loses_nothing(caller: Caller, options: dict[str, Any], how: Any) -> None:
    needs_pieces(caller, options)
    pieces = ['{"title": "Emma"', *[f', "x{number}": "{"word " * 20}"' for number in range(20)], ', "author": "J"}']
    caller.server.reply(Cut(answer(options, pieces), at=2500, how=how))
    stream = caller.call("?", stream=True, response_model=Book, **options)
    seen: list[Any] = []
    with pytest.raises(errors.StreamInterruptedError) as caught:
        collect(caller, stream, seen)
    assert seen
    assert {one.title for one in seen} == {"Emma"}
    partial = caught.value.partial
    assert partial is not None
    assert partial is stream._response
    assert '{"title": "Emma"' in (partial.content or written(partial.message_param))
    assert not hasattr(stream, "constructed_response_model")


def written(message: Any) -> str:
    """A message as JSON, where the arguments of a call are read as text in text."""
    return json.dumps(message, default=lambda model: model.model_dump()).replace('\\"', '"')


def test_garbage_and_silence_are_told_as_in_every_stream(caller: Caller) -> None:
    good = answer({}, PIECES)
    caller.server.reply(Garbage(after=2), Stall(good, after=caller.wire.opening + 2))
    with pytest.raises(errors.StreamError, match="event 3" if caller.wire.reads_bytes else "Expecting property name"):
        caller.consume(caller.call("?", stream=True, response_model=Book))
    if not caller.wire.takes_timeout:
        return  # a client has its timeout: see test_bedrock
    with pytest.raises(errors.StreamInterruptedError) as caught:
        caller.consume(
            caller.call("?", stream=True, response_model=Book, call_params={"timeout": 0.2, "max_tokens": 9})
        )
    assert caught.value.partial is not None


# ---- the end of a stream


@pytest.mark.parametrize("options", WAYS)
def test_break_closes_the_connection_at_once(caller: Caller, options: dict[str, Any]) -> None:
    pieces = ['{"title": "', *["word "] * 500, '", "author": "J"}']
    caller.server.reply(answer(options, pieces, delay=0.001))
    stream = caller.call("?", stream=True, response_model=Book, **options)

    def sync() -> None:
        for book in stream:
            if book.title:
                break
        caller.server.wait_closed(timeout=0.05)

    async def asynchronous() -> None:
        import asyncio

        async for book in stream:
            if book.title:
                break
        await asyncio.to_thread(caller.server.wait_closed, timeout=0.05)

    gc.disable()  # it must not be the collector that closes it
    try:
        caller.run(sync, asynchronous)
    finally:
        gc.enable()
    assert caller.consume(stream) == []
    assert stream.stream.end_time > 0
    assert not hasattr(stream, "constructed_response_model")


def test_close_ends_a_stream_that_is_still_referred_to(caller: Caller) -> None:
    pieces = ['{"title": "', *["word "] * 500, '", "author": "J"}']
    caller.server.reply(answer({}, pieces, delay=0.001))
    stream = caller.call("?", stream=True, response_model=Book)

    def sync() -> None:
        with stream:
            iterator = iter(stream)
            next(iterator)
        caller.server.wait_closed(timeout=0.05)
        assert list(iterator) == []

    async def asynchronous() -> None:
        import asyncio

        async with stream:
            iterator = aiter(stream)
            await anext(iterator)
        await asyncio.to_thread(caller.server.wait_closed, timeout=0.05)
        assert [one async for one in iterator] == []

    caller.run(sync, asynchronous)


def test_a_second_iteration_gives_nothing_and_changes_nothing(caller: Caller) -> None:
    caller.server.reply(answer({}, PIECES))
    stream = caller.call("?", stream=True, response_model=Book)
    last = caller.consume(stream)[-1]
    assert caller.consume(stream) == []
    assert stream.constructed_response_model is last


def test_a_stream_that_is_kept_can_be_replayed(caller: Caller) -> None:
    caller.server.reply(answer({}, PIECES))
    stream = caller.call("?", stream={"replay": True}, response_model=Book)
    first = caller.consume(stream)
    assert caller.consume(stream) == first
    assert first[-1] == BOOK


def test_before_it_is_consumed_it_has_no_response(caller: Caller) -> None:
    stream = caller.call("?", stream=True, response_model=Book)
    with pytest.raises(ValueError, match=r"No stream response, check if the stream has been consumed\."):
        _ = stream._response
    assert not stream.is_done()


def test_a_stream_of_the_wrong_kind_says_so(caller: Caller) -> None:
    caller.server.reply(answer({}, PIECES))
    stream = caller.call("?", stream=True, response_model=Book)
    with pytest.raises(AssertionError, match="Stream must be"):
        caller.run(lambda: caller.runner.run(anext(aiter(stream))), lambda: _next(stream))


async def _next(stream: Any) -> Any:
    return next(iter(stream))


THOUGHTS = ["<thi", 'nk>Perhaps {"title": "Dra', 'ft"}? No.</th', "ink>\n"]


@pytest.mark.parametrize("tags", ["both", "the last"])
def test_json_in_thoughts_is_no_answer(caller: Caller, tags: str) -> None:
    """A reasoning model writes a draft in its thoughts; some write only the closing tag."""
    pieces = [*THOUGHTS[0 if tags == "both" else 1 :], *PIECES]
    if tags == "the last":
        pieces[0] = pieces[0].removeprefix("nk>")
    caller.server.reply(*[answer({"json_mode": True}, pieces)] * 2)
    whole = caller.call(response_model=Book, json_mode=True)
    assert whole == BOOK
    # Some SDKs move thoughts between tags out of the text.
    text = "".join(pieces) if caller.wire.keeps_members else whole._response.content
    assert whole._response.content == text
    stream = caller.call(stream=True, response_model=Book, json_mode=True)
    books = caller.consume(stream)
    assert books[-1] == BOOK
    if tags == "both":
        assert {book.title for book in books} <= {None, "Em", "Emma"}
    if caller.wire.keeps_members:
        assert stream.stream.content == text


def test_thoughts_without_an_answer_are_an_error(caller: Caller) -> None:
    caller.server.reply(*[answer({"json_mode": True}, ['<think>{"title": "Emma", ', '"author": "Jane"}'])] * 2)
    with pytest.raises(errors.ResponseModelError) as caught:
        caller.call(response_model=Book, json_mode=True)
    assert caught.value.text.startswith("<think>")
    with pytest.raises(errors.ResponseModelError):
        caller.consume(caller.call(stream=True, response_model=Book, json_mode=True))
