"""Answers that become what their response model says."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar, Union

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, ValidationError, field_validator

from ferroscope import errors
from ferroscope.core.base import BaseCallResponse, BaseMessageParam, FromCallArgs, ResponseModelConfigDict
from ferroscope.core.base.structured_stream import BaseStructuredStream
from ferroscope.testing import Answer, Refusal, Text, ToolCall, ToolCalls

from .conftest import Caller


class Book(BaseModel):
    """A book."""

    title: str
    author: str


EMMA = {"title": "Emma", "author": "Jane Austen"}
BOOK = Book(title="Emma", author="Jane Austen")


def shelve(place: str) -> str:
    """Puts the book on a shelf."""
    return f"in {place}"


def as_call(value: Any, name: str = "Book") -> Answer:
    """The answer as a call of the tool that was forced."""
    return Answer(ToolCall(name, value if isinstance(value, str) else json.dumps(value)))


def as_text(value: Any) -> Answer:
    """The answer as JSON in the text."""
    return Answer(Text(value if isinstance(value, str) else json.dumps(value)))


def plain(value: Any) -> Any:
    """Equal if the types are equal, too."""
    return type(value), value


# ---- what a call returns


SHELVE = Answer(ToolCall("shelve", {"place": "the hall"}))


def title_of(book: Book) -> str:
    return book.title


def content_of(response: Any) -> str:
    return str(response.content)


RETURNS: list[tuple[dict[str, Any], Answer, Callable[[Any], Any], Any]] = [
    # options, answer, what is looked at, what it is
    ({}, Answer("Emma"), content_of, "Emma"),
    ({"json_mode": True}, as_text(EMMA), content_of, json.dumps(EMMA)),
    ({"tools": [shelve]}, SHELVE, lambda r: r.tool.call(), "in the hall"),
    ({"output_parser": content_of}, Answer("Emma"), plain, (str, "Emma")),
    ({"output_parser": content_of, "json_mode": True}, as_text("{}"), plain, (str, "{}")),
    ({"output_parser": lambda r: r.tool.call(), "tools": [shelve]}, SHELVE, plain, (str, "in the hall")),
    ({"response_model": Book}, as_call(EMMA), plain, (Book, BOOK)),
    ({"response_model": Book, "json_mode": True}, as_text(EMMA), plain, (Book, BOOK)),
    ({"response_model": Book, "output_parser": title_of}, as_call(EMMA), plain, (str, "Emma")),
    ({"response_model": Book, "output_parser": title_of, "json_mode": True}, as_text(EMMA), plain, (str, "Emma")),
    ({"response_model": Book, "tools": [shelve]}, as_text(EMMA), plain, (Book, BOOK)),
    ({"response_model": Book, "tools": [shelve]}, SHELVE, lambda r: r.tool.call(), "in the hall"),
    ({"response_model": Book, "tools": [shelve], "output_parser": title_of}, as_text(EMMA), plain, (str, "Emma")),
    (
        {"response_model": Book, "tools": [shelve], "output_parser": title_of, "json_mode": True},
        SHELVE,
        lambda r: r.tool.call(),
        "in the hall",
    ),
]


@pytest.mark.parametrize(("options", "answer", "look", "expected"), RETURNS)
def test_what_a_call_returns(
    caller: Caller, options: dict[str, Any], answer: Answer, look: Callable[[Any], Any], expected: Any
) -> None:
    caller.server.reply(answer)
    assert look(caller.call("Recommend a book", **options)) == expected


@pytest.mark.parametrize("response_model", [None, Book])
@pytest.mark.parametrize("tools", [None, [shelve]])
def test_what_a_streamed_call_returns(caller: Caller, tools: list[Any] | None, response_model: Any) -> None:
    caller.server.reply(Answer("{}"))
    stream = caller.call("?", stream=True, tools=tools, response_model=response_model)
    assert isinstance(stream, BaseStructuredStream) is (response_model is not None)
    with pytest.raises(ValueError, match=r"^Cannot use `output_parser` with `stream=True`\.$"):
        caller.decorate(lambda: "?", stream=True, tools=tools, response_model=response_model, output_parser=content_of)


# ---- what can be a response model


class Genre(Enum):
    NOVEL = "novel"
    ESSAY = 2


class Names(RootModel[list[str]]):
    """Some names."""


class Library(RootModel[dict[str, Book]]):
    pass


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: int | None = None


class Dated(BaseModel):
    model_config = ConfigDict(frozen=True)
    day: date
    pages: set[int] = Field(default_factory=set)
    of: Dated | None = None


Isbn = NewType("Isbn", str)

VALUES: list[tuple[Any, Any, Any]] = [
    # the response model, the JSON of a value, the value
    (str, "Emma", "Emma"),
    (int, 42, 42),
    (float, 0.5, 0.5),
    (bool, False, False),
    (bytes, "abc", b"abc"),
    (list, ["a", 1], ["a", 1]),
    (dict, {"a": 1}, {"a": 1}),
    (set, [1, 2, 1], {1, 2}),
    (tuple, ["a", 1], ("a", 1)),
    (list[str], ["a", "b"], ["a", "b"]),
    (list[Book], [EMMA, EMMA], [BOOK, BOOK]),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (dict[str, int], {"value": 1}, {"value": 1}),
    (set[int], [1, 2], {1, 2}),
    (tuple[str, int], ["a", 1], ("a", 1)),
    (Literal["novel", "essay"], "essay", "essay"),
    (Genre, "novel", Genre.NOVEL),
    (Genre, 2, Genre.ESSAY),
    (Union[int, str], "a", "a"),  # noqa: UP007  # the old spelling, too
    (Optional[Book], None, None),  # noqa: UP045
    (int | str, 3, 3),
    (int | None, None, None),
    (Book | None, EMMA, BOOK),
    (Book | list[str], ["a"], ["a"]),
    (Annotated[int, Field(ge=0)], 3, 3),
    (Annotated[str, AfterValidator(str.upper)], "a", "A"),
    (Names, ["a", "b"], Names(["a", "b"])),
    (Library, {"emma": EMMA}, Library({"emma": BOOK})),
    (date, "1815-12-23", date(1815, 12, 23)),
    (Isbn, "978", "978"),
    (Any, {"a": [1, None]}, {"a": [1, None]}),
]


def ids(case: Any) -> str:
    return f"{getattr(case[0], '__name__', case[0])}-{json.dumps(case[1])}"


@pytest.mark.parametrize("case", VALUES, ids=ids)
def test_types_that_are_no_object_are_asked_for_as_one(caller: Caller, case: tuple[Any, Any, Any]) -> None:
    """v1 crashed on most of them in JSON mode and beside tools, and on `X | Y` always (D12, D27)."""
    response_model, value, expected = case
    wrapped = {"value": value}
    caller.server.reply(as_call(wrapped), as_text(wrapped), as_text(wrapped))
    for options in ({}, {"json_mode": True}, {"tools": [shelve]}):
        assert plain(caller.call("?", response_model=response_model, **options)) == plain(expected)


@pytest.mark.parametrize("case", VALUES, ids=ids)
def test_they_are_also_taken_when_the_model_answers_them_bare(caller: Caller, case: tuple[Any, Any, Any]) -> None:
    response_model, value, expected = case
    bare = json.dumps(value)
    answers = [bare, f"```json\n{bare}\n```", f"```\n{bare}```"]
    caller.server.reply(*map(as_text, answers))
    call = caller.decorate(lambda: "?", response_model=response_model, json_mode=True)
    assert [plain(call()) for _ in answers] == [plain(expected)] * len(answers)


def test_models_that_contain_others_and_themselves(caller: Caller) -> None:
    answer = {"day": "1815-12-23", "of": {"day": "1811-10-30", "pages": [3, 3]}}
    caller.server.reply(as_call(answer), as_text({"items": [EMMA]}))
    dated = caller.call("?", response_model=Dated)
    assert dated == Dated(day=date(1815, 12, 23), of=Dated(day=date(1811, 10, 30), pages={3}))
    assert [tool._name() for tool in dated._response.tool_types] == ["Dated"]
    assert caller.call("?", response_model=Page[Book], json_mode=True) == Page[Book](items=[BOOK])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (BOOK, r"an instance of Book: pass the type of the answer"),
        ("Book", r"'Book': pass the type of the answer"),
        (shelve, r"function shelve.*: pass the type of the answer"),
        (3, r"3: pass the type of the answer"),
        (Caller, r"cannot be read from JSON"),
    ],
)
def test_what_is_no_type_of_an_answer_is_refused_at_decoration(caller: Caller, wrong: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f"`response_model.*{told}"):
        caller.decorate(lambda: "?", response_model=wrong)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"stream": {"every": "word"}, "response_model": Book}, "'delta', 'change', 'field', not 'word'"),
        ({"stream": {"every": "change"}}, "needs `stream=True` and a `response_model`"),
    ],
)
def test_options_that_do_not_go_together_are_refused_at_decoration(
    caller: Caller, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        caller.decorate(lambda: "?", **options)


# ---- what stands around the document


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "```json\n{}\n```",
        "```\n{}\n```",
        "Sure! Here it is:\n\n```json\n{}\n```\nDo you like it (it's {great})?",
        "Of {all} books: {} and that } is it.",
        "[A list first] {}",
        "\ufeff\n {} \n",
        "{}\n{}",
    ],
)
@pytest.mark.parametrize("response_model", [Book, Book | None])
def test_prose_and_fences_around_the_document_do_not_matter(caller: Caller, form: str, response_model: Any) -> None:
    """v1 took everything from the first brace to the last (D12)."""
    value = EMMA if response_model is Book else {"value": EMMA}
    caller.server.reply(as_text(form.replace("{}", json.dumps(value))))
    assert caller.call("?", response_model=response_model, json_mode=True) == BOOK


def test_prose_around_a_bare_list(caller: Caller) -> None:
    caller.server.reply(as_text(f"Two: {json.dumps([EMMA, EMMA])} [the end]"))
    assert caller.call("?", response_model=list[Book], json_mode=True) == [BOOK, BOOK]


def test_what_json_cannot_hold_is_replaced_as_everywhere_else(caller: Caller) -> None:
    caller.server.reply(as_text('{"title": "Em\\ud83dma", "author": "\\ud83d\\udc69"}'))
    book = caller.call("?", response_model=Book, json_mode=True)
    assert book == Book(title="Em�ma", author="👩")


def test_an_answer_that_came_the_other_way_is_taken_too(caller: Caller) -> None:
    caller.server.reply(as_text(EMMA), as_call(EMMA))
    assert caller.call("?", response_model=Book) == BOOK
    assert caller.call("?", response_model=Book, json_mode=True) == BOOK


def test_of_several_calls_the_first_is_the_answer(caller: Caller) -> None:
    caller.server.reply(Answer(ToolCalls(ToolCall("Book", EMMA), ToolCall("Book", {"title": "x", "author": "y"}))))
    assert caller.call("?", response_model=Book) == BOOK


# ---- the call's own arguments


class Recommendation(BaseModel):
    genre: Annotated[str, FromCallArgs()]
    reader: Annotated[Any, FromCallArgs()] = Field(validation_alias="readerOf")
    title: str = Field(alias="bookTitle")


@pytest.mark.parametrize("json_mode", [False, True])
def test_arguments_of_the_call_fill_fields(caller: Caller, json_mode: bool) -> None:
    def recommend(genre: str, reader: object = None) -> str:
        return f"Recommend a {genre} book"

    answer = {"bookTitle": "Emma", "genre": "what the model makes up"}
    caller.server.reply(as_text(answer) if json_mode else as_call(answer))
    reader = object()
    book = caller.call(recommend, "romantic", reader, response_model=Recommendation, json_mode=json_mode)
    assert (book.genre, book.reader, book.title) == ("romantic", reader, "Emma")
    sent = json.dumps(caller.server.requests[-1].json)
    assert "bookTitle" in sent
    assert "readerOf" not in sent  # v1 asked for it in JSON mode
    assert caller.wire.text(caller.wire.messages(caller.server.requests[-1].json)[0]).startswith(
        "Recommend a romantic book"
    )


@pytest.mark.filterwarnings("ignore:.* does not support strict structured outputs:UserWarning")
def test_strict_models_take_arguments_that_are_no_json(caller: Caller) -> None:
    class Dated(BaseModel):
        model_config = ResponseModelConfigDict(strict=True)
        day: Annotated[date, FromCallArgs()]
        until: date

    caller.server.reply(as_text({"until": "1816-01-01"}))
    day = date(1815, 12, 23)
    dated = caller.call(lambda day: "?", day, response_model=Dated, json_mode=True)
    assert dated == Dated(day=day, until=date(1816, 1, 1))


def test_an_argument_that_is_missing_is_told_before_anything_is_sent(caller: Caller) -> None:
    before = len(caller.server.requests)
    with pytest.raises(ValueError, match=r"fn_args=\{'title': 'x'\}, call_args_fields=\{'.*', '.*'\}") as caught:
        caller.call(lambda title: "?", "x", response_model=Recommendation)
    assert "'genre', 'reader'" in str(caught.value)
    assert len(caller.server.requests) == before


# ---- the response behind the result


def test_results_know_their_response(caller: Caller) -> None:
    caller.server.reply(as_call(EMMA), as_call({"value": EMMA}), as_call({"value": ["a"]}), as_call({"value": ["a"]}))
    for response_model, expected in ((Book, BOOK), (Book | None, BOOK), (Names, Names(["a"]))):
        result = caller.call("?", response_model=response_model)
        assert isinstance(result._response, BaseCallResponse)
        assert result._response.output_tokens == 20
        assert result == expected  # which has none
        assert result.model_dump() == expected.model_dump()
    assert not hasattr(caller.call("?", response_model=list[str]), "_response")


def test_a_response_of_a_model_that_is_frozen(caller: Caller) -> None:
    caller.server.reply(as_call({"day": "1815-12-23"}))
    dated = caller.call("?", response_model=Dated)
    assert dated._response.content == ""
    assert dated == Dated(day=date(1815, 12, 23))
    with pytest.raises(ValidationError):
        dated.day = date(1816, 1, 1)


def test_a_result_that_does_not_fit_tells_its_response(caller: Caller) -> None:
    answer = {"title": "Emma"}
    caller.server.reply(as_call(answer), as_text(answer))
    for json_mode in (False, True):
        with pytest.raises(ValidationError) as caught:
            caller.call("?", response_model=Book, json_mode=json_mode)
        (error,) = caught.value.errors(include_url=False)
        assert (error["type"], error["loc"]) == ("missing", ("author",))
        assert isinstance(caught.value._response, BaseCallResponse)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("response_model", "text", "place", "kind"),
    [
        (list[int], '["a"]', (0,), "int_parsing"),
        (list[int], '{"value": ["a"]}', ("value", 0), "int_parsing"),
        (list[int], '{"values": [1]}', ("value",), "missing"),
        (list[int], 'Here: ["a"]', (0,), "int_parsing"),
        (list[int], 'Here: {"value": ["a"]}', ("value", 0), "int_parsing"),
        (dict[str, int], '{"a": "b"}', ("a",), "int_parsing"),
        (dict[str, int], '{"value": "b"}', ("value",), "dict_type"),
        (Literal["a"], '"b"', (), "literal_error"),
    ],
)
def test_what_is_wrong_with_a_value_is_told_in_the_form_in_which_it_came(
    caller: Caller, response_model: Any, text: str, place: tuple[Any, ...], kind: str
) -> None:
    caller.server.reply(as_text(text))
    with pytest.raises(ValidationError) as caught:
        caller.call("?", response_model=response_model, json_mode=True)
    error = caught.value.errors(include_url=False)[0]
    assert (error["loc"], error["type"]) == (place, kind)


def test_validators_of_the_users_model_run(caller: Caller) -> None:
    class Upper(BaseModel):
        title: Annotated[str, AfterValidator(str.upper)]

        @field_validator("title")
        @classmethod
        def is_short(cls, title: str) -> str:
            if len(title) > 4:
                raise ValueError("too long")
            return title

    caller.server.reply(as_call({"title": "emma"}), as_call({"title": "persuasion"}))
    assert caller.call("?", response_model=Upper) == Upper(title="emma")
    with pytest.raises(ValidationError, match="too long"):
        caller.call("?", response_model=Upper)


# ---- answers that are none


@pytest.mark.parametrize("way", ["call", "text", "text beside tools"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_malformed_json_is_told_with_its_place_and_text(caller: Caller, way: str, stream: bool) -> None:
    text = '{"title": "Emma", "author": ]}'
    if way == "call" and not (caller.wire.cuts_arguments if stream else caller.wire.arguments_are_text):
        pytest.skip("its calls carry an object, which cannot be malformed")
    caller.server.reply(as_call(text) if way == "call" else as_text(text))
    options: dict[str, Any] = {"text": {"json_mode": True}, "text beside tools": {"tools": [shelve]}}.get(way, {})
    with pytest.raises(errors.ResponseModelError) as caught:
        result = caller.call("?", response_model=Book, stream=stream, **options)
        caller.consume(result)
    error = caught.value
    told, function, place = str(error).partition("; function ")
    assert told == f"the answer is not a Book: byte 28: ']' where a value was expected; the model wrote {text!r}"
    assert function
    assert place.endswith(f", provider {caller.row.name!r}, model {caller.row.model!r}")
    assert isinstance(error, ValueError)
    assert error.text == text
    assert error.response is error._response
    assert error.response.output_tokens == 20


def test_an_answer_that_was_cut_off_says_so(caller: Caller) -> None:
    caller.server.reply(Answer(Text('{"title": "Em'), finish="length"))
    with pytest.raises(errors.ResponseModelError, match=r"the text ends where .*; the model stopped at its limit of"):
        caller.call("?", response_model=Book, json_mode=True)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("options", [{}, {"json_mode": True}, {"tools": [shelve]}], ids=["call", "text", "tools"])
def test_a_refusal_is_an_error_with_its_text(caller: Caller, options: dict[str, Any], stream: bool) -> None:
    if not caller.wire.refuses:
        pytest.skip("the wire has no refusals")
    if stream and not caller.wire.keeps_members:
        pytest.skip("the SDK drops refusals in streams")
    caller.server.reply(Answer(Refusal("I will not."), finish="content_filter"))
    with pytest.raises(ValueError, match=r"^I will not\.$") as caught:
        caller.consume(caller.call("?", response_model=Book, stream=stream, **options))
    assert isinstance(caught.value, errors.ResponseModelError)
    assert isinstance(caught.value._response, BaseCallResponse)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_answer_without_anything(caller: Caller, stream: bool) -> None:
    caller.server.reply(Answer(Text("")))
    with pytest.raises(ValueError, match=r"^No tool call or JSON object found in response\.$") as caught:
        caller.consume(caller.call("?", response_model=Book, stream=stream))
    assert caught.value._response.common_finish_reasons == ["stop"]  # type: ignore[attr-defined]


def test_prose_alone_is_no_document(caller: Caller) -> None:
    caller.server.reply(as_text("I do not know any."), as_text("Not one."))
    for response_model, name in ((Book, "Book"), (list[Book], r"list\[.*Book\]")):
        with pytest.raises(errors.ResponseModelError, match=f"not a {name}: .*the text contains no JSON document"):
            caller.call("?", response_model=response_model, json_mode=True)


def test_arguments_that_a_tool_cannot_take_tell_their_response(caller: Caller) -> None:
    caller.server.reply(Answer(ToolCall("shelve", '{"place": ')))
    with pytest.raises(ValueError, match="shelve") as caught:
        caller.call("?", response_model=Book, tools=[shelve])
    assert isinstance(caught.value._response, BaseCallResponse)  # type: ignore[attr-defined]


# ---- with the rest of a call


def test_dynamic_tools_beside_a_response_model(caller: Caller) -> None:
    """They are offered like the decorator's; without them the answer is forced into a call."""

    def recommend(tools: list[Any]) -> Any:
        return {"messages": [BaseMessageParam(role="user", content="?")], "tools": tools}

    call = caller.decorate(recommend, response_model=Book)
    caller.server.reply(as_text(EMMA), SHELVE, as_call(EMMA))
    assert call([shelve]) == BOOK
    assert "shelve" in json.dumps(caller.wire.tools(caller.server.requests[-1].json))
    assert call([shelve]).tool.call() == "in the hall"
    assert call([]) == BOOK


def test_nothing_that_was_handed_in_is_changed(caller: Caller) -> None:
    """v1 put its instruction into the caller's own messages (D20)."""
    messages = [BaseMessageParam(role="user", content="?")]
    params = {"temperature": 0.5}
    kept = (list(messages), dict(params))
    caller.server.reply(as_text(EMMA), as_text(EMMA))
    call = caller.decorate(lambda: messages, response_model=Book, json_mode=True, call_params=params)
    call()
    call()
    assert (messages, params) == kept
    first, second = (caller.wire.messages(request.json) for request in caller.server.requests)
    assert first == second


class Strict(BaseModel):
    model_config = ResponseModelConfigDict(strict=True)
    day: date


NOT_STRICT = ".* does not support strict structured outputs"


def test_strict_models_want_json_mode(caller: Caller) -> None:
    told = (
        "You must set `json_mode=True` to use `strict=True` response models. "
        "Ignoring `strict` and using tools for extraction."
    )
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        caller.row.decorator(caller.row.model, response_model=Strict)(lambda: "?")
    # Of a provider that knows nothing of the kind, its tools say so when they are described.
    expected = [] if not caller.wire.knows_strict else [(told, UserWarning, __file__)]
    assert [(str(one.message), one.category, one.filename) for one in seen] == expected


@pytest.mark.filterwarnings(f"ignore:{NOT_STRICT}:UserWarning")
@pytest.mark.parametrize("options", [{"json_mode": True}, {"tools": [shelve]}], ids=["text", "text beside tools"])
def test_strict_models_read_dates_all_the_same(caller: Caller, options: dict[str, Any]) -> None:
    caller.server.reply(as_text({"day": "1815-12-23"}), as_text({"day": 3}))
    assert caller.call("?", response_model=Strict, **options) == Strict(day=date(1815, 12, 23))
    with pytest.raises(ValidationError, match="valid date"):
        caller.call("?", response_model=Strict, **options)
