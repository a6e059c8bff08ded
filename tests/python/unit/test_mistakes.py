"""Mistakes that newcomers make: each is an error or a warning that names what to write instead."""

from __future__ import annotations

import asyncio
import logging
import os
import warnings
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import anthropic as anthropic_sdk
import openai as openai_sdk
import pytest
from pydantic import BaseModel, ValidationError

import ferroscope
from ferroscope import errors, llm
from ferroscope.core import (
    BaseMessageParam,
    BasePrompt,
    BaseTool,
    BaseToolKit,
    FromCallArgs,
    Messages,
    anthropic,
    metadata,
    openai,
    prompt_template,
    toolkit_tool,
)
from ferroscope.testing import Answer, ProviderServer, Status, ToolCall

# Any: the programs are wrong on purpose, so that types would refuse them.


class Book(BaseModel):
    title: str
    pages: int


def weather(city: str) -> str:
    """Return the weather."""
    return f"{city}: sun"


async def forecast(city: str) -> str:
    """Return the forecast."""
    return f"{city}: rain"


def unannotated(city, day: str) -> str:  # type: ignore[no-untyped-def]
    """Return the weather."""
    return f"{city}: sun on {day}"


class Shelf(BaseTool):
    title: str

    def call(self) -> str:
        return self.title


class Uncallable(BaseTool):
    title: str


class Kit(BaseToolKit):
    unit: str = "C"

    @toolkit_tool
    def temperature(self, city: str) -> str:
        """Return the temperature in {self.unit}."""
        return f"{city}: 20 {self.unit}"


@prompt_template("Recommend a {genre} book")
class Recommendation(BasePrompt):
    genre: str


def ask(city: str = "Oslo") -> Any:
    return f"The weather in {city}?"


def call(**options: Any) -> Any:
    return openai.call("gpt-4o-mini", **options)(ask)


def acall(**options: Any) -> Any:
    async def aask() -> Any:
        return "The weather?"

    return openai.call("gpt-4o-mini", **options)(aask)


def answer(returned: Any, **options: Any) -> Any:
    """Make a call whose function returns something."""

    def ask() -> Any:
        return returned

    return openai.call("gpt-4o-mini", **options)(ask)()


async def arun(use: Callable[[Any], Any], **options: Any) -> None:
    """Use the stream of an async call."""
    used = use(await acall(stream=True, **options)())
    if asyncio.iscoroutine(used):
        await used


async def over(stream: Any) -> None:
    async for _ in stream:
        pass


async def inside(stream: Any) -> None:
    async with stream:
        pass


def enter(stream: Any) -> None:
    with stream:
        pass


def without(variable: str, program: Callable[[], object]) -> object:
    """Run a program without an environment variable."""
    kept = os.environ.pop(variable)
    try:
        return program()
    finally:
        os.environ[variable] = kept


@dataclass(frozen=True)
class Mistake:
    """A program, and its exception or warning.

    Attributes:
        program: The program; a coroutine is run.
        kind: The class of the exception or warning.
        says: What the message or its notes must contain.
        answer: What the server answers.
    """

    program: Callable[[], object]
    kind: type[Exception]
    says: tuple[str, ...]
    answer: Any = "Hello there"


def of(program: Callable[[], object], kind: type[Exception], *says: str, answer: Any = "Hello there") -> Mistake:
    return Mistake(program, kind, says, answer)


def llm_call(*args: Any, **options: Any) -> Any:
    return llm.call(*args, **options)(ask)


CALLS_WEATHER = ToolCall("weather", {"city": "Oslo"})
PROSE, WRONG_TYPE = "I like books.", '{"title": "Emma", "pages": "many"}'
WHERE = ("`ask`", "provider 'openai'", "model 'gpt-4o-mini'")


def tools_of(**options: Any) -> Any:
    return call(tools=[weather], **options)()


def give_back(pairs: Callable[[Any], Any], *tools: Any) -> Any:
    response = call(tools=[*(tools or [weather])])()
    return response.tool_message_params(pairs(response))


OPTIONS = {
    "no parentheses": of(lambda: openai.call(ask), TypeError, '`@openai.call("a-model")` above `ask`'),  # type: ignore[arg-type, call-overload]
    "empty parentheses": of(lambda: openai.call()(ask), TypeError, '`@openai.call("a-model")`'),  # type: ignore[call-overload]
    "the model is None": of(lambda: openai.call(None), TypeError, "openai.call()", "a model", "None"),  # type: ignore[call-overload]
    "the model is blank": of(lambda: openai.call(""), TypeError, "openai.call()", "a model", "''"),
    "the model twice": of(lambda: openai.call("a", model="b"), TypeError, "twice", "'a'", "model='b'"),  # type: ignore[call-overload]
    "options by position": of(lambda: openai.call("a", True), TypeError, "by name", "`stream=True`"),  # type: ignore[call-overload]
    "temperature as an option": of(
        lambda: call(temperature=1), TypeError, "openai.call()", '`call_params={"temperature": ...}`'
    ),
    "a response format that is a class": of(
        lambda: call(call_params={"response_format": Book}), TypeError, "`Book`", "`response_model=Book`"
    ),
    "a parameter misspelt": of(lambda: call(max_token=1), TypeError, '`call_params={"max_tokens": ...}`'),
    "an option misspelt": of(lambda: call(respons_model=Book), TypeError, "did you mean `response_model`?"),
    "messages as an option": of(lambda: call(messages=[]), TypeError, "return the messages from the function"),
    "a system prompt as an option": of(lambda: call(system="Be brief."), TypeError, "Messages.System(...)"),
    "response_format as an option": of(lambda: call(response_format=Book), TypeError, "write `response_model=...`"),
    "an API key as an option": of(lambda: call(api_key="sk-1"), TypeError, "`client=`"),
    "an unknown key of stream": of(
        lambda: call(stream={"partial_tool": True}), ValueError, "'partial_tool'", "did you mean `partial_tools`?"
    ),
    "an empty dict as stream": of(lambda: call(stream={}), ValueError, "`stream=True`"),
    "text as stream": of(lambda: call(stream="true"), TypeError, "stream=...", "True, False or a dict"),
    "an unknown limit": of(lambda: call(stream={"limits": {"event_byte": 1}}), ValueError, "`event_bytes`"),
    "a limit as text": of(lambda: call(stream={"limits": {"event_bytes": "1M"}}), TypeError, "`event_bytes`", "'1M'"),
    "a negative limit": of(lambda: call(stream={"limits": {"depth": -1}}), ValueError, "`depth`", "-1"),
    "limits as a number": of(lambda: call(stream={"limits": 5}), TypeError, "`limits` is a dict"),
    "a timeout as text": of(lambda: call(stream={"idle_timeout": "5"}), TypeError, "`idle_timeout`", "seconds", "'5'"),
    "a timeout of nothing": of(
        lambda: call(stream={"idle_timeout": 0}), ValueError, "idle_timeout must be more than 0"
    ),
    "partial_tools as text": of(lambda: call(stream={"partial_tools": "no"}), TypeError, "`partial_tools`", "'no'"),
    "replay below nothing": of(lambda: call(stream={"replay": -1}), ValueError, "`replay`", "-1"),
    "every of an unknown kind": of(
        lambda: call(stream={"every": "chunk"}, response_model=Book), ValueError, "`every`", "'field'", "'chunk'"
    ),
    "every without a response model": of(lambda: call(stream={"every": "field"}), ValueError, "`response_model`"),
    "json_mode as a format": of(
        lambda: call(json_mode={"type": "json_object"}), TypeError, "json_mode", "response_format"
    ),
    "a parser that is text": of(lambda: call(output_parser="json"), TypeError, "output_parser", "'json'"),
    "a model as the parser": of(lambda: call(output_parser=Book), TypeError, "`response_model=Book`"),
    "a parser of a stream": of(
        lambda: call(stream=True, output_parser=str), ValueError, "Cannot use `output_parser` with `stream=True`"
    ),
    "call_params as a list": of(lambda: call(call_params=[("seed", 1)]), TypeError, "`call_params` is a dict"),
    "stream in call_params": of(lambda: call(call_params={"stream": True}), TypeError, "'stream'", "`stream=True`"),
    "the model in call_params": of(lambda: call(call_params={"model": "m"}), TypeError, "'model'", "own argument"),
    "messages in call_params": of(lambda: call(call_params={"messages": []}), TypeError, "'messages'", "return"),
    "functions in call_params": of(lambda: call(call_params={"tools": [weather]}), TypeError, "`tools=[...]`"),
    "a misspelt call parameter": of(
        lambda: call(call_params={"temprature": 1})(), TypeError, "'temprature'", "`temperature`", *WHERE
    ),
    "the class of a client": of(lambda: call(client=openai_sdk.OpenAI), TypeError, "write `OpenAI()`"),
    "a key as the client": of(lambda: call(client="sk-1"), TypeError, "client of the SDK, not text"),
    "a call decorated again": of(lambda: openai.call("m")(call()), TypeError, "`ask` is a call already"),
    "text decorated": of(lambda: openai.call("m")("Hi"), TypeError, "a function that returns a prompt", "'Hi'"),  # type: ignore[call-overload]
    "a class decorated": of(lambda: openai.call("m")(Recommendation), TypeError, "`prompt.run(openai.call("),  # type: ignore[call-overload]
}

LLM = {
    "no parentheses": of(lambda: llm.call(ask), TypeError, '`@llm.call("openai", "a-model")` above `ask`'),  # type: ignore[arg-type, call-overload]
    "no model": of(lambda: llm_call("openai"), ValueError, "`llm.call('openai', 'a-model')`"),
    "a model alone": of(
        lambda: llm_call("gpt-4o-mini"), ValueError, "not a provider", "`llm.call('a-provider', 'gpt-4o-mini')`"
    ),
    "a slash without a model": of(lambda: llm_call("openai/"), ValueError, "`llm.call('openai/a-model')`"),
    "a provider misspelt in an override": of(
        lambda: llm.override(llm_call("openai/m"), provder="anthropic"),  # type: ignore[call-overload]
        TypeError,
        "llm.override()",
        "did you mean `provider`?",
    ),
    "a colon in place of a slash": of(lambda: llm_call("openai:gpt-4o"), ValueError, "`llm.call('openai/gpt-4o')`"),
    "a misspelt provider": of(lambda: llm_call("opnai", "m"), ValueError, "did you mean 'openai'?"),
    "a provider in capitals": of(lambda: llm_call("OpenAI/gpt-4o"), ValueError, "did you mean 'openai'?"),
    "the SDK as the provider": of(lambda: llm_call(openai_sdk, "m"), TypeError, '"openai"', "as a string"),
    "a number as the model": of(lambda: llm_call("openai", 4), TypeError, "llm.call()", "a model", "4"),
    "no provider at the call": of(
        lambda: llm_call(os.environ.get("NO_SUCH_VARIABLE"), "m")(), ValueError, "`ask`", "provider=None", "llm.context"
    ),
    "no provider and no model": of(lambda: llm_call(None, None)(), ValueError, "`ask`", "provider=None", "model=None"),
    "a misspelt option": of(
        lambda: llm_call("openai/m", streem=True), TypeError, "llm.call()", "did you mean `stream`?"
    ),
    "a provider overridden alone": of(
        lambda: llm.override(llm_call("openai/m"), provider="openai"), ValueError, "Provider and model must both"
    ),
    "text overridden": of(lambda: llm.override("ask", model="m", provider="openai"), TypeError, "`llm.call`", "'ask'"),  # type: ignore[call-overload]
    "a provider's call overridden": of(
        lambda: llm.override(call(), provider="anthropic", model="m"),
        UserWarning,
        "`ask`",
        "decorate it with `llm.call`",
    ),
    "a misspelt provider in a context": of(
        lambda: in_context("opnai"), ValueError, "Unsupported provider: opnai", "did you mean 'openai'?"
    ),
    "stream in the call_params of a context": of(
        lambda: llm.context(provider="openai", model="m", call_params={"stream": True}),  # type: ignore[typeddict-unknown-key]
        TypeError,
        "llm.context()",
        "'stream'",
    ),
    "a URL without a scheme": of(
        lambda: ferroscope.register_provider("acme", base_url="acme.example"), ValueError, "'https://host/v1'"
    ),
    "a provider's name in capitals": of(
        lambda: ferroscope.register_provider("Acme", base_url="http://acme.example"), ValueError, "lower-case"
    ),
    "a key in place of its variable": of(
        lambda: ferroscope.register_provider("acme", base_url="http://acme.example", api_key_env="sk-1"),
        ValueError,
        "the name of an environment variable",
    ),
}


def in_context(provider: Any) -> Any:
    with llm.context(provider=provider, model="m"):
        return llm_call("openai/m")()


TOOLS = {
    "a function alone": of(lambda: call(tools=weather), TypeError, "openai.call(tools=...)", "`tools=[weather]`"),
    "text": of(lambda: call(tools=["weather"]), TypeError, "'weather'", "a function", "`ask`"),
    "a called tool": of(
        lambda: call(tools=[weather("Oslo")]), TypeError, "without parentheses", "'Oslo: sun'", "`ask`"
    ),
    "a called async tool": of(
        lambda: call(tools=[forecast("Oslo")]), TypeError, "write `forecast` without parentheses"
    ),
    "an instance of a tool": of(lambda: call(tools=[Shelf(title="a")]), TypeError, "write the class `Shelf`", "`ask`"),
    "a toolkit": of(lambda: call(tools=[Kit()]), TypeError, "toolkit `Kit`", "`*kit.create_tools()`", "`ask`"),
    "a toolkit alone": of(lambda: call(tools=Kit()), TypeError, "`Kit`", "`tools=[*kit.create_tools()]`"),
    "a toolkit's class": of(lambda: call(tools=[Kit]), TypeError, "`*Kit(...).create_tools()`"),
    "create_tools not called": of(lambda: call(tools=[Kit().create_tools]), TypeError, "with parentheses"),
    "a list in the list": of(lambda: call(tools=[Kit().create_tools()]), TypeError, "write `*` in front of it"),
    "a schema": of(lambda: call(tools=[{"type": "function"}]), TypeError, '`call_params={"tools": [...]}`'),
    "None": of(lambda: call(tools=[None]), TypeError, "None", "`ask`"),
    "a class that is not a model": of(lambda: call(tools=[dict]), TypeError, "the class `dict`", "`BaseTool`"),
    "a tool without call": of(lambda: call(tools=[Uncallable]), TypeError, "`Uncallable`", "`def call(self): ...`"),
    "two of one name": of(lambda: call(tools=[weather, weather]), ValueError, "'weather'", "rename one of them"),
    "a parameter without annotation": of(
        lambda: call(tools=[unannotated]), ValueError, "`city`", "`unannotated`", "`city: str`", "`ask`"
    ),
    "an async tool that was not awaited": of(
        lambda: give_back(lambda response: [(response.tool, response.tool.call())], forecast),
        TypeError,
        "`forecast`",
        "`await tool.call()`",
        answer=ToolCall("forecast", {"city": "Oslo"}),
    ),
    "an output without its tool": of(
        lambda: give_back(lambda response: ["sun"]), TypeError, "`[(tool, tool.call())]`", "'sun'", answer=CALLS_WEATHER
    ),
    "one pair without a list": of(
        lambda: give_back(lambda response: (response.tool, "sun")), TypeError, "a list of pairs", answer=CALLS_WEATHER
    ),
    "output and tool": of(
        lambda: give_back(lambda response: [("sun", response.tool)]),
        TypeError,
        "in this order",
        "'sun' in place of a tool",
        answer=CALLS_WEATHER,
    ),
    "an output of no tool": of(lambda: give_back(lambda response: [(response.tool, "sun")]), TypeError, "called none"),
    "an output without JSON": of(
        lambda: give_back(lambda response: [(response.tool, object())]), TypeError, "`weather`", answer=CALLS_WEATHER
    ),
    "a tool that was not offered": of(
        lambda: tools_of().tool, errors.UnknownToolError, "'rain'", "'weather'", answer=ToolCall("rain", {})
    ),
}


def in_template(template: Any, **variables: Any) -> Any:
    def ask(**variables: Any) -> Any: ...

    return openai.call("gpt-4o-mini")(prompt_template(template)(ask))(**variables)


def returns_beside_template() -> Any:
    @openai.call("gpt-4o-mini")
    @prompt_template("Hi {name}")
    def greet(name: str) -> Any:
        return f"Hello {name}"

    return greet("Ann")


def unknown_variable() -> Any:
    @prompt_template("Hi {nam}")
    def greet(name: str) -> None: ...

    return greet


def returns_nothing() -> Any:
    @openai.call("gpt-4o-mini")
    def greet() -> None:  # type: ignore[type-var]
        """Say hello."""

    return greet()


PROMPTS = {
    "empty": of(lambda: answer(""), UserWarning, "`answer.<locals>.ask`", "empty"),
    "blank": of(lambda: answer(" \n"), UserWarning, "empty"),
    "an empty user message": of(lambda: answer([Messages.User("")]), UserWarning, "empty", "message 0"),
    "None": of(lambda: answer(None), ValueError, "No prompt template set!", "ask` returned None", "return the prompt"),
    "a docstring alone": of(returns_nothing, ValueError, "FERROSCOPE_DOCSTRING_PROMPT_TEMPLATE=ENABLED", "greet"),
    "an empty list": of(lambda: answer([]), ValueError, "ask` returned an empty list"),
    "no messages in the dict": of(lambda: answer({"messages": []}), ValueError, "`messages` are empty"),
    "an empty dict": of(lambda: answer({}), ValueError, "a dict with no messages"),
    "text in place of content": of(
        lambda: answer([{"role": "user", "text": "Hi"}]), ValueError, "message 0", "'text'", "did you mean `content`?"
    ),
    "a number": of(lambda: answer(5), ValueError, "ask` returned 5", "return text"),
    "bytes": of(lambda: answer(b"Hi"), ValueError, "b'Hi'", "`TextPart`"),
    "a function": of(lambda: answer(weather), ValueError, "the function `weather`: call it"),
    "a coroutine": of(
        lambda: answer(forecast("Oslo")), ValueError, "a coroutine", "`await` in front of `forecast(...)`"
    ),
    "a response": of(lambda: answer(call()()), ValueError, "an OpenAICallResponse", "`response.content`"),
    "a response among messages": of(lambda: answer([call()()]), ValueError, "`response.message_param`"),
    "an unknown key": of(lambda: answer({"message": []}), ValueError, "'message'", "did you mean `messages`?"),
    "a message in place of the dict": of(
        lambda: answer({"role": "user", "content": "Hi"}), ValueError, "'role'", "`[Messages.User(...)]`"
    ),
    "an option in the dict": of(
        lambda: answer({"stream": True}), ValueError, "'stream'", "option of the call decorator"
    ),
    "call_params as a list": of(
        lambda: answer({"messages": ["Hi"], "call_params": [1]}), TypeError, "`call_params`", "must be a dict"
    ),
    "stream in the call_params": of(
        lambda: answer({"messages": ["Hi"], "call_params": {"stream": True}}), TypeError, "'stream'", "`stream=True`"
    ),
    "computed fields as a list": of(lambda: answer({"computed_fields": ["a"]}), TypeError, "`computed_fields`"),
    "a key as the client": of(
        lambda: answer({"messages": ["Hi"], "client": "sk-1"}), TypeError, "`client`", "not text"
    ),
    "a toolkit in the dict": of(
        lambda: answer({"messages": ["Hi"], "tools": [Kit()]}), TypeError, "`*kit.create_tools()`", "ask`"
    ),
    "a misspelt role": of(
        lambda: answer([BaseMessageParam(role="usr", content="Hi")]), ValueError, "message 0", "'usr'", "`user`"
    ),
    "another library's role": of(
        lambda: answer([{"role": "human", "content": "Hi"}]), ValueError, "'human'", "did you mean `user`?"
    ),
    "an unknown role": of(
        lambda: answer([{"role": "speaker", "content": "Hi"}]), ValueError, "'speaker'", "`assistant`", "`user`"
    ),
    "a message without a role": of(lambda: answer([{"content": "Hi"}]), ValueError, "message 0", '`"role": "user"`'),
    "a misspelt key of a message": of(
        lambda: answer([{"role": "user", "contents": "Hi"}]), ValueError, "'contents'", "did you mean `content`?"
    ),
    "a message without content": of(lambda: answer([{"role": "user"}]), ValueError, "no content"),
    "pairs of role and text": of(lambda: answer([("user", "Hi")]), ValueError, "('user', 'Hi')", "`TextPart`"),
    "a message inside a message": of(lambda: Messages.User(Messages.User("Hi")), ValueError, "`TextPart`"),  # type: ignore[arg-type]
    "None as content": of(lambda: Messages.User(None), ValueError, "None", "`TextPart`"),  # type: ignore[arg-type]
    "prompt_template without parentheses": of(
        lambda: prompt_template(ask),  # type: ignore[call-overload]
        TypeError,
        "`@prompt_template()` above `ask`",
    ),
    "a template that is a number": of(lambda: prompt_template(5), TypeError, "as text", "5"),  # type: ignore[call-overload]
    "an unknown variable": of(unknown_variable, UserWarning, "'nam'", "'name'"),
    "an open brace": of(lambda: prompt_template("Hi {name")(ask), errors.TemplateError, "'Hi {name'", "{{"),  # type: ignore[call-overload]
    "an empty template": of(lambda: in_template(""), UserWarning, "empty"),
    "a template and a returned prompt": of(returns_beside_template, UserWarning, "greet", "the template is not sent"),
    "messages that are text": of(lambda: in_template("MESSAGES: {past}", past="Hi"), ValueError, "`past`", "`list`"),
    "an image that is a number": of(lambda: in_template("{cover:image}", cover=5), ValueError, "5"),
    "a template above the call": of(lambda: prompt_template("Hi")(call()), errors.TemplateError, "ask", "below"),
    "metadata above the call": of(lambda: metadata({"tags": {"a"}})(call()), UserWarning, "ask", "below"),
    "an argument misspelt": of(lambda: call()(cty="Oslo"), TypeError, "ask()", "'cty'", "did you mean `city`?"),
    "an argument too many": of(lambda: call()("Oslo", "now"), TypeError, "ask()", "too many"),
    "a prompt that runs a call": of(lambda: Recommendation(genre="a").run(call()), TypeError, "`run`", "`ask`"),
    "a prompt that runs a decorator without its model": of(
        lambda: Recommendation(genre="a").run(openai.call),  # type: ignore[arg-type]
        TypeError,
        "openai.call needs a model",
    ),
}


class FromCall(BaseModel):
    city: Annotated[str, FromCallArgs()]
    country: Annotated[str, FromCallArgs()]


ANSWERS = {
    "an instance": of(
        lambda: call(response_model=Book(title="a", pages=1)), ValueError, "an instance of Book", "`ask`"
    ),
    "the name of a model": of(lambda: call(response_model="Book"), ValueError, "'Book'", "`ask`"),
    "a list of a model": of(lambda: call(response_model=[Book]), ValueError, "`list[str]`"),
    "a function": of(lambda: call(response_model=weather), ValueError, "weather", "a pydantic model"),
    "an argument that the call has not": of(
        lambda: call(response_model=FromCall)(), ValueError, "'country'", "FromCallArgs"
    ),
    "prose": of(
        lambda: call(response_model=Book, json_mode=True)(),
        errors.ResponseModelError,
        "not a Book",
        "the model wrote 'I like books.'",
        *WHERE,
        answer=PROSE,
    ),
    "prose in a stream": of(
        lambda: list(call(response_model=Book, json_mode=True, stream=True)()),
        errors.ResponseModelError,
        "the model wrote 'I like books.'",
        *WHERE,
        answer=PROSE,
    ),
    "long prose": of(
        lambda: call(response_model=Book, json_mode=True)(),
        errors.ResponseModelError,
        "long long",
        "…",
        *WHERE,
        answer="long " * 999,
    ),
    "a value of another type": of(
        lambda: call(response_model=Book, json_mode=True)(), ValidationError, WRONG_TYPE, *WHERE, answer=WRONG_TYPE
    ),
    "a value of another type in a stream": of(
        lambda: list(call(response_model=Book, json_mode=True, stream=True)()),
        ValidationError,
        WRONG_TYPE,
        *WHERE,
        answer=WRONG_TYPE,
    ),
    "the model read too early": of(
        lambda: call(response_model=Book, stream=True)().constructed_response_model, AttributeError, "consumed"
    ),
}


STREAMS = {
    "for over an async stream": of(
        lambda: arun(list), AssertionError, "Stream must be a generator", "aask", "`async for`"
    ),
    "for over its text": of(lambda: arun(lambda stream: list(stream.text())), AssertionError, "`async for`"),
    "for over its events": of(lambda: arun(lambda stream: list(stream.events())), AssertionError, "`async for`"),
    "for over an async structured stream": of(lambda: arun(list, response_model=Book), AssertionError, "`async for`"),
    "async for over a sync stream": of(lambda: over(call(stream=True)()), AssertionError, "`ask`", "write `for`"),
    "async for over a sync structured stream": of(
        lambda: over(call(stream=True, response_model=Book)()), AssertionError, "`ask`", "write `for`"
    ),
    "with on an async stream": of(lambda: arun(enter), AssertionError, "aask", "`async with`"),
    "with on an async structured stream": of(lambda: arun(enter, response_model=Book), AssertionError, "`async with`"),
    "async with on a sync stream": of(lambda: inside(call(stream=True)()), AssertionError, "`ask`", "write `with`"),
    "collect of an async stream": of(
        lambda: arun(lambda stream: stream.collect()), AssertionError, "aask", "`await stream.acollect()`"
    ),
    "acollect of a sync stream": of(
        lambda: call(stream=True)().acollect(), AssertionError, "`ask`", "write `stream.collect()`"
    ),
    "the response before the stream": of(
        lambda: call(stream=True)().construct_call_response(), ValueError, "check if the stream has been consumed"
    ),
    "the message before the stream": of(lambda: call(stream=True)().message_param, AttributeError, "consumed"),
}


def openai_client(**options: Any) -> Any:
    return openai_sdk.OpenAI(api_key="sk-1", max_retries=0, **options)


def with_client(client: Any, model: str = "gpt-4o-mini", decorator: Any = openai.call) -> Any:
    with client:
        return decorator(model, client=client)(ask)()


def with_async_client() -> Any:
    client = openai_sdk.AsyncOpenAI(api_key="sk-1")
    try:
        return call(client=client)()
    finally:
        asyncio.run(client.close())


CLIENTS = {
    "no key": of(
        lambda: without("OPENAI_API_KEY", call()), errors.MissingApiKeyError, "set OPENAI_API_KEY", "`client=`", *WHERE
    ),
    "no key in a stream": of(
        lambda: without("OPENAI_API_KEY", lambda: list(call(stream=True)())), errors.APIError, "OPENAI_API_KEY", *WHERE
    ),
    "no key of another provider": of(
        lambda: without("ANTHROPIC_API_KEY", anthropic.call("claude-haiku-4-5")(ask)),
        errors.MissingApiKeyError,
        "set ANTHROPIC_API_KEY",
        "`ask`",
        "provider 'anthropic'",
        "model 'claude-haiku-4-5'",
    ),
    "the key's error as the SDK's": of(
        lambda: without("OPENAI_API_KEY", call()), openai_sdk.OpenAIError, "OPENAI_API_KEY", *WHERE
    ),
    "a wrong key": of(lambda: call()(), errors.AuthenticationError, "401", *WHERE, answer=Status(401)),
    "a wrong key in a stream": of(
        lambda: list(call(stream=True)()), errors.AuthenticationError, "401", *WHERE, answer=Status(401)
    ),
    "a wrong key at llm": of(
        lambda: llm_call("openai/gpt-4o-mini")(), errors.APIError, "401", *WHERE, answer=Status(401)
    ),
    "a server that is not there": of(
        lambda: with_client(openai_client(base_url="http://127.0.0.1:9/v1")),
        errors.APIConnectionError,
        "host '127.0.0.1'",
        *WHERE,
    ),
    "a base URL without a scheme": of(
        lambda: with_client(openai_client(base_url="localhost/v1")), errors.APIConnectionError, *WHERE
    ),
    "an async client in a sync function": of(with_async_client, errors.ClientError, "ask", "`async def`"),
    "another SDK's client": of(
        lambda: with_client(anthropic_sdk.Anthropic(api_key="sk-1")),
        errors.ClientError,
        "an anthropic.Anthropic cannot call 'openai'",
        "omit `client`",
        "`ask`",
    ),
}

MISTAKES = {
    f"{room}: {name}": mistake
    for room, rows in {
        "options": OPTIONS,
        "llm": LLM,
        "tools": TOOLS,
        "prompts": PROMPTS,
        "response models": ANSWERS,
        "streams": STREAMS,
        "clients": CLIENTS,
    }.items()
    for name, mistake in rows.items()
}


@pytest.fixture(scope="module")
def _server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _server.forget()
    for provider in ("openai", "anthropic"):
        monkeypatch.setenv(f"{provider.upper()}_API_KEY", "test-key")
        monkeypatch.setenv(f"{provider.upper()}_BASE_URL", _server.base_url(provider))
    return _server


def run(program: Callable[[], object]) -> None:
    made = program()
    if isinstance(made, Coroutine):
        asyncio.run(made)


def message_of(error: BaseException | Warning) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", [])])


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_what_to_write_instead(mistake: Mistake, server: ProviderServer) -> None:
    server.reply_always(Answer(mistake.answer) if isinstance(mistake.answer, str) else mistake.answer)
    if issubclass(mistake.kind, Warning):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run(mistake.program)
        (found,) = (str(warning.message) for warning in caught if warning.category is mistake.kind)
        # It shows the program's own line.
        assert all(warning.filename == __file__ for warning in caught if warning.category is mistake.kind)
    else:
        with pytest.raises(mistake.kind) as raised:
            run(mistake.program)
        found = message_of(raised.value)
    assert [said for said in mistake.says if said not in found] == [], found
    assert "sk-1" not in found


def test_the_table_is_as_long_as_it_is_said_to_be() -> None:
    assert len(MISTAKES) >= 67


@pytest.mark.parametrize("rows", ["options", "llm", "tools", "prompts"])
def test_mistakes_that_decoration_can_see_send_no_request(rows: str, server: ProviderServer) -> None:
    server.reply_always("Hello there")
    for name, mistake in MISTAKES.items():
        if name.startswith(f"{rows}: ") and mistake.kind in (TypeError, ValueError) and mistake.answer == "Hello there":
            with pytest.raises(mistake.kind):
                run(mistake.program)
    sent = [request.json["messages"][-1]["content"] for request in server.requests]
    # The responses that two prompts return, and the answer that called no tool.
    assert sent == {"tools": ["The weather in Oslo?"], "prompts": ["The weather in Oslo?"] * 2}.get(rows, [])


def test_a_stream_that_is_read_twice_is_logged(server: ProviderServer, caplog: pytest.LogCaptureFixture) -> None:
    server.reply_always("Hello there")
    stream = call(stream=True)()
    assert len(list(stream)) > 0
    assert caplog.messages == []
    with caplog.at_level(logging.WARNING, logger="ferroscope.stream"):
        assert list(stream) == list(stream.text()) == []
    assert (
        caplog.messages
        == [
            "the stream of `ask` has been read already, and nothing more comes of it: keep what it gave, or write "
            '`stream={"replay": True}` to read it again'
        ]
        * 2
    )


def test_a_provider_that_is_none_can_be_given_by_a_context(server: ProviderServer) -> None:
    server.reply_always("Hello there")
    with llm.context(provider="openai", model="gpt-4o-mini"):
        assert llm_call(None)().content == "Hello there"


def test_the_errors_of_the_sdk_stay_its_own(server: ProviderServer) -> None:
    server.reply_always(Status(401))
    with pytest.raises(openai_sdk.AuthenticationError) as raised:
        call()()
    assert raised.value.response.status_code == 401
    assert raised.value.__notes__ == ["function `ask`, provider 'openai', model 'gpt-4o-mini', host '127.0.0.1'"]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        [{"role": "user", "content": "Hi", "name": "ann"}],
        [Messages.System("Be brief."), Messages.User("Hi"), {"role": "assistant", "content": None, "refusal": "No."}],
        [{"role": "assistant", "content": "", "prefix": True}],
        [
            {
                "role": "assistant",
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "a", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": ""},
        ],
    ],
    ids=["a developer", "a name", "a refusal", "a prefix", "a tool call"],
)
def test_messages_that_are_no_mistake_are_sent(messages: Any, server: ProviderServer) -> None:
    server.reply_always("Hello there")
    assert answer(messages).content == "Hello there"
