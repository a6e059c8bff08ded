"""A long run of calls to a faulty server that fails if memory, descriptors or objects grow.

    python benches/python/soak_faults.py [--minutes N] [--row openai|anthropic ...]

Every round makes each kind of call once, sync and async: complete ones, tools, response models, statuses, broken and
silent streams, invalid events, streams that are left, and cancelled calls. The server is another process. The memory is
measured every minute; the growth is that of the second half of the run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import time
from collections import Counter
from typing import Any

from pydantic import BaseModel

from ferroscope import errors, llm
from ferroscope.testing import Cut, Garbage, SpawnedServer, Stall, Status, StreamError, Text, ToolCall
from soak import megabytes

MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5"}
VARIABLES = {"openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL"), "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")}
MOST_GROWTH = 4.0  # MB in the second half
TEXT = "word " * 50


class Book(BaseModel):
    title: str


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


book, call = ToolCall("Book", {"title": "Emma"}), ToolCall("add", {"a": 1, "b": 2})
# What the server answers, the options of the call, and whether the reader leaves after some chunks.
KINDS: dict[str, tuple[Any, dict[str, Any], bool]] = {
    "complete": (Text(TEXT), {}, False),
    "stream": (Text(TEXT, 50), {"stream": True}, False),
    "left": (Text(TEXT, 50), {"stream": True}, True),
    "tool": (call, {"stream": True, "tools": [add]}, False),
    "model": (book, {"response_model": Book}, False),
    "partial models": (book, {"response_model": Book, "stream": True}, False),
    "status": (Status(400, message="no"), {}, False),
    "refused stream": (Status(400, message="no"), {"stream": True}, False),
    "broken": (Cut(Text(TEXT, 50), at=2000), {"stream": True}, False),
    "silent": (Stall(Text(TEXT, 50), after=5), {"stream": {"idle_timeout": 0.02}}, False),
    "error event": (StreamError(Text(TEXT, 50), after=5), {"stream": True}, False),
    "no JSON": (Garbage(Text(TEXT, 50), after=5), {"stream": True}, False),
    "wrong model": (Text("no JSON"), {"response_model": Book}, False),
}


def read(result: Any, leaves: bool) -> None:
    if hasattr(result, "__iter__") and not isinstance(result, BaseModel):
        for number, _ in enumerate(result):
            if leaves and number == 3:
                break


async def aread(result: Any, leaves: bool) -> None:
    if hasattr(result, "__aiter__"):
        async for _ in result:
            if leaves:
                break


def round_of(rows: list[str], server: SpawnedServer, runner: asyncio.Runner, seen: Counter[str]) -> None:
    for row in rows:
        for name, (answer, options, leaves) in KINDS.items():
            for is_async in (False, True):
                server.forget()
                server.reply_always(answer)
                try:
                    if is_async:
                        runner.run(acall(row, options, leaves))
                    else:
                        read(CALLS[row, name](), leaves)
                except (errors.FerroscopeError, ValueError) as error:
                    seen[type(error).__name__] += 1
                seen["calls"] += 1
        server.reply_always(Stall(Text(TEXT, 50), after=5))
        runner.run(cancelled(row))


async def acall(row: str, options: dict[str, Any], leaves: bool) -> None:
    key = (row, next(name for name, kind in KINDS.items() if kind[1] is options))
    await aread(await ACALLS[key](), leaves)


async def cancelled(row: str) -> None:
    async def reading() -> None:
        async for _ in await ACALLS[row, "stream"]():
            pass

    task = asyncio.create_task(reading())
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait((task,))


CALLS: dict[tuple[str, str], Any] = {}
ACALLS: dict[tuple[str, str], Any] = {}


def decorate(rows: list[str]) -> None:
    async def say_async() -> str:
        return "Say hello"

    def say() -> str:
        return "Say hello"

    for row in rows:
        for name, (_, options, _leaves) in KINDS.items():
            decorator = llm.call(row, MODELS[row], **options)
            CALLS[row, name], ACALLS[row, name] = decorator(say), decorator(say_async)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--row", choices=MODELS, nargs="+", default=list(MODELS))
    options = parser.parse_args()
    decorate(options.row)
    seen: Counter[str] = Counter()
    measured: list[tuple[float, int, int]] = []
    with SpawnedServer() as server, asyncio.Runner() as runner:
        for row in options.row:
            key, url = VARIABLES[row]
            os.environ.update({key: "test", url: server.base_url(row)})
        begun = time.monotonic()
        while (elapsed := time.monotonic() - begun) < options.minutes * 60:
            round_of(options.row, server, runner, seen)
            if elapsed // (options.minutes * 2) >= len(measured):  # thirty times in a run
                gc.collect()
                measured.append((megabytes(), len(os.listdir("/proc/self/fd")), len(gc.get_objects())))
                print(
                    f"{elapsed:7.0f} s  {seen['calls']:8,} calls  %7.1f MB  %4d fds  %7d objects" % measured[-1],
                    flush=True,
                )
    half = len(measured) // 2
    growth = max(m for m, *_ in measured[-3:]) - max(m for m, *_ in measured[half : half + 3])
    print(f"{growth:+.1f} MB in the second half; {dict(seen)}")
    if growth > MOST_GROWTH or measured[-1][1] > measured[half][1] + 5:
        raise SystemExit("memory or descriptors grew")


if __name__ == "__main__":
    main()
