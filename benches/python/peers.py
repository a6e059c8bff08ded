"""Where the peers live: each in a virtual environment of its own under `.venvs/`, made when it is first needed.

`python benches/python/peers.py` makes them all.
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
    "mirascope": ("mirascope[openai]==1.25.7", "openai[aiohttp]==1.109.1"),
}
"""Package requirements by environment. What is not named here runs in the environment that runs the bench."""


def python_of(environment: str) -> Path:
    """The interpreter of a peer's environment; makes the environment when it is missing."""
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
    """Run a script of this folder in an environment, with options as JSON; its last line is the result."""
    command = [str(python_of(environment)), str(HERE / script), json.dumps(options)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{script} with {options} failed in {environment!r}")
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    for name in PEERS:
        python_of(name)
