"""Write `docs/images/progress.svg`: the output of `ferroscope map` in a terminal.

    python tools/progress_image.py

The command runs against the test server, in a pseudo-terminal. The picture has the bar in the middle of the run, and
the summary at its end.
"""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text as AnsiText

from ferroscope.testing import Answer, SpawnedServer, Text, Usage

IMAGE = Path(__file__).parents[1] / "docs/images/progress.svg"
COMMAND = "map app:translate rows.jsonl --out results.jsonl --concurrency 8 --budget-usd 5"
COLUMNS = 110
ROWS = 600
PROGRAM = """
from ferroscope import llm


@llm.call("openai/gpt-4o-mini")
async def translate(text: str) -> str:
    return f"Translate into French: {text}"
"""
# The picture loads no fonts from other hosts.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}|<!--.*?-->", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    """Run the command and write the picture."""
    answer = Answer(Text("livre"), usage=Usage(900, 300), delay=0.02)
    with tempfile.TemporaryDirectory() as folder, SpawnedServer(default=answer) as server:
        Path(folder, "app.py").write_text(PROGRAM)
        rows = (json.dumps({"text": f"Text {number}"}) for number in range(ROWS))
        Path(folder, "rows.jsonl").write_text("\n".join(rows))
        output = terminal_output(folder, server.base_url("openai"))
    IMAGE.write_text(picture(output), encoding="utf-8")


def terminal_output(folder: str, base_url: str) -> str:
    """Return the output of the command in a pseudo-terminal, with its escape sequences."""
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    process = subprocess.Popen(
        [sys.executable, "-m", "ferroscope", *COMMAND.split()],
        cwd=folder,
        env={**os.environ, **terminal, "OPENAI_API_KEY": "any", "OPENAI_BASE_URL": base_url},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    parts = []
    try:
        while data := os.read(ours, 65536):
            parts.append(data)
    except OSError:  # Linux reports the end of a pseudo-terminal in this way
        pass
    finally:
        os.close(ours)
    if process.wait():
        raise RuntimeError(b"".join(parts).decode())
    return b"".join(parts).decode().replace("\r\n", "\n")


def picture(output: str) -> str:
    """Return the SVG of a terminal with the output: the bar in the middle of the run, then the last lines."""
    frames = [frame for frame in re.split(r"[\r\n]+", output) if " rows, " in frame]
    *_, summary = re.split(r"(?=rows      )", output, maxsplit=1)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(f"$ ferroscope {COMMAND}", highlight=False)
    for text in (frames[len(frames) * 2 // 3], summary.strip()):
        console.print(AnsiText.from_ansi(text.replace("\x1b[2K", "")), highlight=False)
    return console.export_svg(title="ferroscope map", code_format=FORMAT, unique_id="progress")


if __name__ == "__main__":
    main()
