"""A runner in a peer's environment. It parses one document delta by delta, in one way, and measures CPU time."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel


class Item(BaseModel):
    name: str
    price: float
    tags: list[str]
    ok: bool


class Basket(BaseModel):
    items: list[Item]


class Letter(BaseModel):
    text: str


Read = Callable[[list[str], type[BaseModel]], Iterable[Any]]


def items(deltas: int) -> str:
    """Return a list of objects with this number of deltas of eight characters, as a model would write it."""
    parts: list[str] = []
    length, number = len('{"items": ['), 0
    while length < deltas * 8:
        parts.append(f'{{"name": "item number {number}", "price": {number}.5, "tags": ["a", "b"], "ok": true}}')
        length, number = length + len(parts[-1]) + 2, number + 1
    return '{"items": [' + ", ".join(parts) + "]}"


def letter(deltas: int) -> str:
    return json.dumps({"text": "one long letter " * (deltas // 2)})


def ferroscope_models(deltas: list[str], model: type[BaseModel]) -> Iterator[Any]:
    from ferroscope._engine.partial import PartialReader

    reader = PartialReader(model)
    for delta in deltas:
        reader.feed(delta)
        yield reader.value
    yield reader.finish()


def ferroscope_values(deltas: list[str], model: type[BaseModel]) -> Iterator[Any]:
    from ferroscope._core import PartialJson

    reader = PartialJson()
    for delta in deltas:
        reader.feed(delta)
        yield reader.value


def jiter_values(deltas: list[str], model: type[BaseModel]) -> Iterator[Any]:
    """Parse the whole text again for every delta, with the fastest available parser."""
    from jiter import from_json

    text = b""
    for delta in deltas:
        text += delta.encode()
        yield from_json(text, partial_mode="trailing-strings")


def mirascope_models(deltas: list[str], model: type[BaseModel]) -> Iterator[Any]:
    from mirascope.core.base import BaseStructuredStream

    # The members of the provider's stream that it reads: pairs of a chunk and a tool, the chunk's text and model.
    class Stream:
        model = "m"

        def __iter__(self) -> Iterator[tuple[Any, None]]:
            return ((SimpleNamespace(content=delta, model=None), None) for delta in deltas)

    stream: Any = Stream()
    return iter(BaseStructuredStream(stream=stream, response_model=model, fields_from_call_args={}))


def instructor_models(deltas: list[str], model: type[BaseModel]) -> Iterator[Any]:
    from instructor import Partial

    partial: Any = Partial
    yield from partial[model].model_from_chunks(iter(deltas))


WAYS: dict[str, Read] = {
    "ferroscope models": ferroscope_models,
    "ferroscope values": ferroscope_values,
    "jiter": jiter_values,
    "mirascope": mirascope_models,
    "instructor": instructor_models,
}


def main(way: str, document: str, deltas: int, runs: int) -> dict[str, Any]:
    text, model = (items(deltas), Basket) if document == "items" else (letter(deltas), Letter)
    pieces = [text[at : at + 8] for at in range(0, len(text), 8)]
    read: Read = WAYS[way]
    seconds = []
    last: Any = None
    for _ in read([items(5) if document == "items" else letter(5)], model):
        pass  # create classes, plans and caches
    for _ in range(runs):
        gc.collect()
        started = time.process_time()
        # Like users: keep one instance at a time.
        for value in read(pieces, model):
            last = value
        seconds.append((time.process_time() - started) / len(pieces))
    right = json.loads(text)
    if (last.model_dump() if isinstance(last, BaseModel) else last) != right:
        raise SystemExit(f"{way} read something else")
    return {"seconds": seconds, "deltas": len(pieces)}


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
