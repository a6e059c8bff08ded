"""A runner in a peer's environment. It reads one structured stream delta by delta, in one way, and measures CPU time.

The SDK's client is real. The bytes of the body come from memory, one event at a time, so HTTP is not measured.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import openai

from _partial_in import Basket, items


def events(text: str) -> list[bytes]:
    """Return a stream with eight characters of the text in each chunk."""
    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1767225600, "model": "gpt-5"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text[at : at + 8]} for at in range(0, len(text), 8)]
    chunks: list[dict[str, Any]] = [
        {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    usage = {"prompt_tokens": 9, "completion_tokens": len(deltas), "total_tokens": len(deltas) + 9}
    chunks += [
        {**common, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**common, "choices": [], "usage": usage},
    ]
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


def client_of(body: Iterable[bytes]) -> openai.OpenAI:
    base = importlib.import_module("openai._base_client")
    # The SDK's HTTP library, whose name changed with version 3.
    http: Any = getattr(base, "httpx2", None) or base.httpx

    class Body(http.SyncByteStream):  # type: ignore[misc]  # known only at run time
        def __iter__(self) -> Iterator[bytes]:
            return iter(body)

    def answer(_: Any) -> Any:
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

    return openai.OpenAI(api_key="test", http_client=http.Client(transport=http.MockTransport(answer)))


ASKED: list[Any] = [{"role": "user", "content": "Go on."}]
Start = Callable[[], Iterable[Any]]


def raw(client: openai.OpenAI) -> Start:
    """Read the bytes: the cost of the SDK and its HTTP library in every way."""
    return lambda: client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True).response.iter_bytes()


def sdk(client: openai.OpenAI) -> Start:
    """Read the SDK's chunk objects without their content."""
    return lambda: client.chat.completions.create(model="gpt-5", messages=ASKED, stream=True)


def text(client: openai.OpenAI) -> Start:
    """Read the text of the answer without parsing it."""
    from ferroscope.core.openai import call

    ask: Any = call("gpt-5", stream=True, client=client)(lambda: "Go on.")
    return lambda: ask().text()


def ferroscope_as(response_model: Any, stream: Any = True) -> Callable[[openai.OpenAI], Start]:
    def start(client: openai.OpenAI) -> Start:
        from ferroscope.core.openai import call

        ask: Any = call("gpt-5", stream=stream, response_model=response_model, json_mode=True, client=client)(
            lambda: "Go on."
        )
        return ask

    return start


def mirascope(client: openai.OpenAI) -> Start:
    from mirascope.core.openai import call

    ask: Any = call("gpt-5", stream=True, response_model=Basket, json_mode=True, client=client)(lambda: "Go on.")
    return ask


def instructor(client: openai.OpenAI) -> Start:
    from instructor import Mode, from_openai

    patched = from_openai(client, mode=Mode.JSON)
    return lambda: patched.chat.completions.create_partial(model="gpt-5", messages=ASKED, response_model=Basket)


WAYS: dict[str, Callable[[openai.OpenAI], Start]] = {
    "raw": raw,
    "sdk": sdk,
    "text": text,
    "ferroscope models": ferroscope_as(Basket),
    "ferroscope fields": ferroscope_as(Basket, {"every": "field"}),
    "ferroscope values": ferroscope_as(dict),
    "mirascope": mirascope,
    "instructor": instructor,
}


def plain(value: Any) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else value


def main(way: str, deltas: int, runs: int) -> dict[str, Any]:
    prepare = WAYS[way]
    document = items(deltas)
    for _ in prepare(client_of(events(items(5))))():
        pass  # create classes, plans and caches
    body = events(document)
    seconds = []
    last: Any = None
    for _ in range(runs):
        start = prepare(client_of(body))
        gc.collect()
        started = time.process_time()
        # Like users: keep one instance at a time.
        for value in start():
            last = value
        seconds.append((time.process_time() - started) / (len(body) - 4))
    if way not in {"raw", "sdk", "text"} and plain(last) != json.loads(document):
        raise SystemExit(f"{way} read something else")
    return {"seconds": seconds, "deltas": len(body) - 4}


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
