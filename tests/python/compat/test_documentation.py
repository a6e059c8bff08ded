"""The examples of the documentation and of docstrings run, and print what they say they print."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from ferroscope.testing import Answer, ProviderServer, Text

ROOT = Path(__file__).parents[3]
PROMPTS = ROOT / "docs/prompts.md"
HISTORIES = ROOT / "docs/histories.md"
RETRIES = ROOT / "docs/retries.md"
MODULES = [
    "from_call_args",
    "merge_decorators",
    "message_param",
    "messages",
    "prompt",
    "response_model_config_dict",
]

PREAMBLE = """
from typing import Annotated
from pydantic import BaseModel, Field
from ferroscope import Messages, prompt_template
from ferroscope.core import BasePrompt, FromCallArgs, ResponseModelConfigDict
from ferroscope.core import merge_decorators, metadata, openai
"""

# In a process of its own: the default client is made once, and reads its address then.
DRIVER = """
import contextlib, io, json, sys
namespace = {"__name__": "example"}
blocks = json.load(sys.stdin)
printed = []
for block in blocks:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(block, "<example>", "exec"), namespace)
    printed.append(out.getvalue().splitlines())
json.dump(printed, sys.stdout)
"""


def blocks_of(text: str) -> list[str]:
    found = re.findall(r"^([ \t]*)```python\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    return [dedent(block) for _, block in found]


def run(blocks: list[str]) -> list[list[str]]:
    with ProviderServer(*[Answer(Text("The Name of the Wind")) for _ in range(8)]) as server:
        environment = {
            "OPENAI_BASE_URL": server.base_url("openai"),
            "OPENAI_API_KEY": "key",
            "ANTHROPIC_BASE_URL": server.base_url("anthropic"),
            "ANTHROPIC_API_KEY": "key",
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", DRIVER],
            input=json.dumps(blocks),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )
    assert done.returncode == 0, done.stderr
    printed: list[list[str]] = json.loads(done.stdout)
    return printed


def promised(block: str) -> list[str]:
    return re.findall(r"^\s*# > (.*)$", block, re.MULTILINE)


def test_the_prompt_documentation_does_what_it_says() -> None:
    blocks = blocks_of(PROMPTS.read_text())
    assert len(blocks) > 5
    assert run(blocks) == [promised(block) for block in blocks]


def test_the_documentation_of_histories_does_what_it_says() -> None:
    blocks = blocks_of(HISTORIES.read_text())
    assert len(blocks) > 3
    assert run(blocks) == [promised(block) for block in blocks]


def test_the_documentation_of_retries_does_what_it_says() -> None:
    blocks = blocks_of(RETRIES.read_text())
    assert len(blocks) > 5
    assert run(blocks) == [promised(block) for block in blocks]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_docstrings_do_what_they_say(module: str) -> None:
    source = importlib.import_module(f"ferroscope.core.base.{module}").__file__
    assert source
    blocks = blocks_of(Path(source).read_text())
    assert blocks
    assert run([PREAMBLE, *blocks])[1:] == [promised(block) for block in blocks]
