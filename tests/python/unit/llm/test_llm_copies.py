"""Responses and chunks that are copied, pickled and sent elsewhere."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from ferroscope import BaseTool, llm
from ferroscope.core import openai as provider
from ferroscope.core.base import BaseDynamicConfig
from ferroscope.testing import Answer, ProviderServer, Text, ToolCall, ToolCalls


def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


class FormatBook(BaseTool):
    """Formats a book."""

    title: str

    def call(self) -> str:
        return self.title.title()


ANSWER = Answer(
    Text("One moment."), ToolCalls(ToolCall("FormatBook", {"title": "emma"}), ToolCall("add", {"a": 1, "b": 2}))
)
DECORATORS: dict[str, Callable[..., Any]] = {
    "llm": lambda **options: llm.call("openai", "gpt-4o-mini", **options),
    "provider": lambda **options: provider.call("gpt-4o-mini", **options),
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "model_copy": lambda value: value.model_copy(),
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
@pytest.mark.parametrize("decorator", DECORATORS)
def test_a_copied_response_says_the_same(decorator: str, read: bool, how: str, server: ProviderServer) -> None:
    server.reply(ANSWER)
    response = DECORATORS[decorator](tools=[FormatBook, add])(lambda: "Recommend a book")()
    if read:
        _ = response.tools, response.message_param, response.messages, response.cost
    copied = COPIES[how](response)
    assert type(copied) is type(response)
    assert copied == response
    assert copied.model_dump() == response.model_dump()
    assert copied.tool_types == response.tool_types
    assert [tool.call() for tool in copied.tools] == ["Emma", 3]
    assert isinstance(copied.tool, FormatBook)
    assert copied.tool_message_params([(copied.tools[1], 3)]) == response.tool_message_params([(response.tools[1], 3)])
    assert (copied.finish_reasons, copied.usage) == (response.finish_reasons, response.usage)


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
@pytest.mark.parametrize("decorator", DECORATORS)
def test_a_client_is_not_copied(decorator: str, how: str, server: ProviderServer) -> None:
    with OpenAI(base_url=server.base_url("openai"), api_key="tenant") as client:

        def prompt() -> BaseDynamicConfig[Any, Any, Any]:
            return {"messages": [{"role": "user", "content": "Hi"}], "client": client, "metadata": {"tags": {"a"}}}

        response = DECORATORS[decorator]()(prompt)()
        copied = COPIES[how](response)
        assert copied.content == "Hello there"
        assert copied.metadata == {"tags": {"a"}}
        assert copied.dynamic_config.get("client") is (None if how == "pickle" else client)
        assert response.dynamic_config["client"] is client


def test_a_tool_that_cannot_be_found_by_name_is_left_out_of_a_pickle(server: ProviderServer) -> None:
    def local(a: int) -> int:
        """Returns it."""
        return a

    server.reply(ANSWER)
    response = llm.call("openai", "gpt-4o-mini", tools=[local, FormatBook, add])(lambda: "Recommend a book")()
    copied = pickle.loads(pickle.dumps(response))
    assert [tool._name() for tool in copied.tool_types] == ["FormatBook", "add"]
    assert [tool.call() for tool in copied.tools] == ["Emma", 3]


@pytest.mark.slow
def test_a_pickle_is_read_in_another_process(server: ProviderServer, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def double(a: int) -> int:\n    '''Doubles.'''\n    return 2 * a\n", encoding="utf-8"
    )
    script = (
        "import pickle, sys; response = pickle.load(open(sys.argv[1], 'rb'));"
        "print(response.content, response.tools[0].call(), response.finish_reasons)"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        from mine import double  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(tmp_path))
    server.reply(Answer(Text("Two?"), ToolCall("double", {"a": 2})))
    response = llm.call("openai", "gpt-4o-mini", tools=[double])(lambda: "2 * 2?")()
    (tmp_path / "response.pickle").write_bytes(pickle.dumps(response))
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "response.pickle")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{':'.join(path for path in sys.path if path)}", "PATH": ""},
    )
    assert run.stderr == ""
    assert run.stdout == "Two? 4 ['tool_calls']\n"


@pytest.mark.parametrize("decorator", DECORATORS)
def test_chunks_are_copied(decorator: str, server: ProviderServer) -> None:
    stream = DECORATORS[decorator](stream=True)(lambda: "Hi")()
    chunks = [chunk for chunk, _ in stream]
    for chunk in chunks:
        for how in ("pickle", "deepcopy", "copy"):
            copied = COPIES[how](chunk)
            assert (copied.content, copied.finish_reasons, copied.usage) == (
                chunk.content,
                chunk.finish_reasons,
                chunk.usage,
            )
            assert copied.chunk == chunk.chunk
            assert isinstance(copied, llm.CallResponseChunk) is (decorator == "llm")
