"""The form of a program, and the script that runs a list of them in one process.

    python -m programs.program MODULE

prints, as JSON, what each program of the module printed, what it sent, and its traceback.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
import textwrap
import traceback
import types
from importlib.util import find_spec
from typing import Any, NamedTuple

from ferroscope.testing import Answer, ProviderServer, ToolCall


class Program(NamedTuple):
    """A program, the answers of the server, and what it prints.

    Attributes:
        name: Its name.
        answers: The answers, one for each request.
        source: The program.
        prints: What it prints, without the last line break.
        needs: The packages without which it is skipped.
    """

    name: str
    answers: tuple[Any, ...]
    source: str
    prints: str
    needs: tuple[str, ...] = ()


def call(name: str, **arguments: Any) -> Answer:
    """Return an answer that calls a tool, or fills in a response model."""
    return Answer(ToolCall(name, arguments))


def run(program: Program, server: ProviderServer) -> dict[str, Any]:
    """Run a program, and return its output, its number of requests, and its traceback."""
    server.forget()
    server.reply(*program.answers)
    module = types.ModuleType(f"program_{program.name}")
    sys.modules[module.__name__] = module  # annotations are resolved there
    printed, failure = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(textwrap.dedent(program.source), program.name, "exec"), vars(module))
        except BaseException:
            failure = traceback.format_exc()
    return {"prints": printed.getvalue().rstrip("\n"), "requests": len(server.requests), "failure": failure}


def main(name: str) -> None:
    import ferroscope.compat  # noqa: F401  # `import mirascope` is an alias from here on

    programs: list[Program] = importlib.import_module(name).PROGRAMS
    with ProviderServer() as server:
        for provider, variable in (
            ("openai", "OPENAI_BASE_URL"),
            ("anthropic", "ANTHROPIC_BASE_URL"),
            ("groq", "GROQ_BASE_URL"),
        ):
            os.environ[variable] = server.base_url(provider)
        found = {one.name: run(one, server) for one in programs if all(map(find_spec, one.needs))}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
