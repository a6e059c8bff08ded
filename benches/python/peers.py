"""The environments of the peers: each is a virtual environment under `.venvs/`, created on first use.

`python benches/python/peers.py` creates all of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

PEERS = {
    "genai-prices": ("genai-prices==0.2.3",),
    "instructor": ("instructor==1.17.0",),
    "litellm": ("litellm==1.106.2",),
    "mirascope-anthropic": ("mirascope[anthropic]==1.25.7",),
    "liter-llm": ("liter-llm==2.4.0",),
    "langchain": ("langchain-openai==1.7.4",),
    "mirascope": ("mirascope[openai]==1.25.7", "openai[aiohttp]==1.109.1"),
    "mirascope-2": ("mirascope[openai]==2.8.2",),
    "pydantic-ai": ("pydantic-ai-slim[openai]==2.68.0",),
}
"""The package requirements by environment. Other environments are the one that runs the bench."""


def python_of(environment: str) -> Path:
    """Return the interpreter of a peer's environment, which is created if it is missing."""
    if environment not in PEERS:
        return Path(sys.executable)
    folder = ROOT / ".venvs" / environment
    python = folder / "bin" / "python"
    ready = folder / "ready"
    wanted = "\n".join(PEERS[environment])
    if not ready.exists() or ready.read_text() != wanted:
        print(f"making {folder.relative_to(ROOT)} with {', '.join(PEERS[environment])}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *PEERS[environment]], check=True)
        ready.write_text(wanted)
    return python


def measure(environment: str, script: str, **options: Any) -> dict[str, Any]:
    """Run a script of this folder in an environment, with options as JSON. The last line of its output is the
    result.
    """
    command = [str(python_of(environment)), str(HERE / script), json.dumps(options)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{script} with {options} failed in {environment!r}")
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    for name in PEERS:
        python_of(name)
