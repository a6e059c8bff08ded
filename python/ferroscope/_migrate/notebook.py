"""The rewriting of the code cells of a notebook.

The cells become one module, because a name that one cell imports is used in others. Lines that are commands of IPython
(`%time`, `!pip install ...`) are comments in that module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .requirements import rewrite_requirements

if TYPE_CHECKING:
    from .source import Found

_CELL: Final = "# ferroscope-cell"
_COMMAND: Final = "# ferroscope-command "
_IS_COMMAND: Final = re.compile(r"^(\s*)([%!?].*)$", re.MULTILINE)
_WAS_COMMAND: Final = re.compile(rf"^(\s*)(?:pass\s+)?{_COMMAND}(.*)$", re.MULTILINE)
_INSTALLS: Final = re.compile(r"[%!]\s*(?:uv\s+)?pip\s+install\s")


_Uses: TypeAlias = "dict[str, list[int]]"


def rewrite_notebook(content: bytes, rewrite: Callable[[bytes], Found]) -> tuple[bytes, _Uses, _Uses]:
    """Return a notebook with its code rewritten, and the sections and missing names with the numbers of their cells.

    Args:
        content: The notebook.
        rewrite: The function that rewrites a module.

    Raises:
        ValueError: The file is not a notebook.
    """
    notebook: Any = json.loads(content)  # Any: JSON
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ValueError("the file is not a notebook: it has no list of cells")
    numbers = [number for number, cell in enumerate(cells, 1) if cell.get("cell_type") == "code"]
    sources = ["".join(cells[number - 1].get("source", "")) for number in numbers]
    module = "".join(f"{_CELL}\n{_hidden(source)}\n" for source in sources)
    found = rewrite(module.encode())
    code = found.code
    if code != module.encode():
        after = code.decode().split(f"{_CELL}\n")[1:]
        for number, before, source in zip(numbers, sources, after, strict=True):
            shown = _shown(source[:-1])
            if shown != before:
                cells[number - 1]["source"] = shown.splitlines(keepends=True)
    changed = _with_requirements(cells, numbers) or code != module.encode()
    starts = [index for index, line in enumerate(module.splitlines(), 1) if line == _CELL]
    sections, missing = (
        {key: sorted({numbers[_last(starts, line)] for line in lines}) for key, lines in uses.items()}
        for uses in (found.sections, found.missing)
    )
    if not changed:
        return content, sections, missing
    indent = re.match(rb"\{\n( +)", content)
    text = json.dumps(notebook, indent=len(indent[1]) if indent else None, ensure_ascii=False)
    return (text + ("\n" if content.endswith(b"\n") else "")).encode(), sections, missing


def _hidden(source: str) -> str:
    """Return the source of a cell with the commands of IPython as comments."""
    if source.startswith("%%"):
        return "".join(f"{_COMMAND}{line}" for line in source.splitlines(keepends=True))
    # The statement keeps a block valid that consists of a command only.
    return _IS_COMMAND.sub(rf"\1pass  {_COMMAND}\2", source)


def _shown(source: str) -> str:
    return _WAS_COMMAND.sub(r"\1\2", source)


def _with_requirements(cells: list[Any], numbers: list[int]) -> bool:
    """Rewrite the requirements of `pip install` commands. Return whether there were any."""
    changed = False
    for number in numbers:
        cell = cells[number - 1]
        source = "".join(cell.get("source", ""))
        lines = [_installed(line) if _INSTALLS.match(line) else line for line in source.splitlines(keepends=True)]
        if "".join(lines) != source:
            cell["source"], changed = lines, True
    return changed


def _installed(command: str) -> str:
    return "".join(rewrite_requirements(word)[0] for word in re.split(r"(\s+)", command))


def _last(starts: list[int], line: int) -> int:
    return sum(start <= line for start in starts) - 1
