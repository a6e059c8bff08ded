"""Uses of the `llm` module that the type checkers must refuse, each on the line with the mark."""

from __future__ import annotations

from ferroscope import llm


@llm.call("openai", "gpt-4o-mini")
def recommend(genre: str) -> str:
    return genre


def length(response: llm.CallResponse) -> int:
    return len(response.content)


recommend(1)  # rejected: the wrong type
print(recommend("fantasy").contents)  # rejected: no such attribute
llm.override(recommend, provider="opnai", model="m")  # rejected: no such provider
llm.override(recommend, provider="openai", model="m")(1)  # rejected: the wrong type
llm.override(recommend, stream=True, output_parser=length)  # rejected: both at once
llm.context(provider="openai")  # rejected: no model
llm.call("openai", "m", call_params={"temprature": 1})  # rejected: an unknown parameter
llm.call("openai", "m", tools=[3])  # rejected: no tool


@llm.call("openai", "gpt-4o-mini")  # rejected: a number is no prompt
def number() -> int:
    return 1
