"""Uses of `map` that the type checkers must reject."""

from __future__ import annotations

from ferroscope import llm


@llm.call("openai", "gpt-4o-mini")
def plain(genre: str) -> str:
    return genre


plain.map([{"genre": "fantasy"}], concurency=3)  # rejected: a misspelt option
plain.map([{"genre": "fantasy"}], concurrency="3")  # rejected: not a number
