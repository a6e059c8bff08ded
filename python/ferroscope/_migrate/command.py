"""The command `ferroscope migrate`: the files, the differences and the report."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .._engine.extras import require_package
from .names import OLD, anchor_of
from .requirements import rewrite_requirements

_SKIPPED: Final = {"__pycache__", "build", "dist", "node_modules", "site-packages", "target", "venv"}
_MANIFESTS: Final = ("pyproject.toml", "setup.cfg", "Pipfile")
_SHOWN_LINES: Final = 4


@dataclass
class _Report:
    """The findings in all files.

    Attributes:
        changed: The number of files with changes.
        sections: The places of each section of the deviations.
        missing: The places of each name without an equivalent.
        failed: The files that cannot be read, with the reason.
    """

    changed: int = 0
    sections: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or a directory")
    parser.add_argument(
        "--write", action="store_true", help="change the files; by default only the differences are shown"
    )


def run_migrate(chosen: argparse.Namespace) -> int:
    """Rewrite files, or show the differences, and print a report. Return 1 if a file could not be read."""
    require_package("libcst", extra="migrate", user="`ferroscope migrate`")
    report = _Report()
    missing = [path for path in chosen.paths if not path.exists()]
    if missing:
        print(f"{missing[0]}: no such file or directory", file=sys.stderr)
        return 2
    for path in _files(chosen.paths):
        try:
            _migrate(path, report, write=chosen.write)
        except (OSError, SyntaxError, UnicodeError, ValueError) as error:
            report.failed.append(f"{path}: {error}")
    for line in _report_lines(report, write=chosen.write):
        print(line, file=sys.stderr)
    return 1 if report.failed else 0


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
            yield from (Path(folder, name) for name in sorted(names) if _is_read(name))


def _is_read(name: str) -> bool:
    return name.endswith((".py", ".pyi", ".ipynb")) or _is_manifest(name)


def _is_manifest(name: str) -> bool:
    return name in _MANIFESTS or ("requirements" in name and name.endswith((".txt", ".in")))


def _migrate(path: Path, report: _Report, *, write: bool) -> None:
    before = path.read_bytes()
    if OLD.encode() not in before:
        return
    if _is_manifest(path.name):
        text, lost = rewrite_requirements(before.decode())
        after = text.encode()
        for extra in lost:
            report.missing.setdefault(f"the extra {extra!r}", []).append(str(path))
    else:
        after = _migrate_source(path, before, report)
    if after == before:
        return
    report.changed += 1
    if write:
        path.write_bytes(after)
    else:
        _show(path, before, after)


def _migrate_source(path: Path, before: bytes, report: _Report) -> bytes:
    import libcst

    from .notebook import rewrite_notebook
    from .source import rewrite

    try:
        if path.suffix == ".ipynb":
            after, sections, missing = rewrite_notebook(before, rewrite)
        else:
            found = rewrite(before)
            after, sections, missing = found.code, found.sections, found.missing
    except libcst.ParserSyntaxError as error:
        raise SyntaxError(f"line {error.raw_line}: {error.message}") from error
    for total, own in ((report.sections, sections), (report.missing, missing)):
        for key, lines in own.items():
            total.setdefault(key, []).extend(f"{path}:{line}" for line in lines)
    return after


def _show(path: Path, before: bytes, after: bytes) -> None:
    old, new = (code.decode(errors="replace").splitlines(keepends=True) for code in (before, after))
    for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"):
        print(line, end="" if line.endswith("\n") else "\n\\ No newline at end of file\n")


def _report_lines(report: _Report, *, write: bool) -> Iterator[str]:
    files = "1 file" if report.changed == 1 else f"{report.changed} files"
    yield f"{files} changed." if write else f"{files} to change; write them with `--write`."
    if report.sections:
        yield "\nThese parts may behave differently:"
        for section, places in sorted(report.sections.items()):
            yield f"  {anchor_of(section)}: {_some(places)}"
    if report.missing:
        yield "\nThese names have no equivalent, and are left as they are:"
        for name, places in sorted(report.missing.items()):
            yield f"  {name}: {_some(places)}"
    for failure in report.failed:
        yield f"\nNot read: {failure}"


def _some(places: Sequence[str]) -> str:
    shown = ", ".join(places[:_SHOWN_LINES])
    more = len(places) - _SHOWN_LINES
    return f"{shown} and {more} more" if more > 0 else shown
