"""`ferroscope.compat`: `import mirascope` as an alias, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import ferroscope

SOURCES = str(Path(ferroscope.__file__).parents[1])


def run(script: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run a script with the package, and other directories, on the path."""
    path = os.pathsep.join([SOURCES, *map(str, paths)])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)


def test_every_form_of_import_leads_to_the_same_modules() -> None:
    done = run(
        """
import ferroscope.compat
import mirascope
import mirascope.core.base.tool as tool
from mirascope import Messages, llm
from mirascope.core import BaseTool, prompt_template
from mirascope.core.base import _utils
import mirascope.retries.tenacity
import ferroscope, ferroscope.llm, ferroscope.core.base.tool
import importlib, pickle, sys

assert mirascope is ferroscope and llm is ferroscope.llm
assert tool is ferroscope.core.base.tool and BaseTool is tool.BaseTool
assert mirascope.retries.tenacity is ferroscope.retries.tenacity
assert importlib.import_module("mirascope.core") is ferroscope.core
assert ferroscope.llm.__spec__.name == ferroscope.llm.__name__ == "ferroscope.llm"
assert ferroscope.__spec__.name == "ferroscope"
assert importlib.reload(ferroscope.retries.tenacity) is mirascope.retries.tenacity
message = Messages.User("Hi")
assert pickle.loads(pickle.dumps(message)) == message
import ferroscope.compat
print("done", mirascope.__version__ == ferroscope.__version__)
"""
    )
    assert (done.stdout, done.stderr) == ("done True\n", "")


def test_a_module_that_does_not_exist_is_named() -> None:
    done = run("import ferroscope.compat\nimport mirascope.experimental.graphs")
    assert "ModuleNotFoundError: No module named 'mirascope.experimental'" in done.stderr
    assert "an alias of 'ferroscope.experimental', which does not exist" in done.stderr


def test_an_installed_package_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mirascope").mkdir()
    (tmp_path / "mirascope/__init__.py").touch()
    done = run("import ferroscope.compat", tmp_path)
    assert "ImportError: `ferroscope.compat` offers the name `mirascope`, but the package mirascope" in done.stderr


def test_without_the_alias_the_name_does_not_exist() -> None:
    done = run("import ferroscope.llm\nimport mirascope")
    assert "No module named 'mirascope'" in done.stderr
