"""The private attributes of SDKs are read in one module, which the sources themselves are read to show."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ferroscope

ROOT = Path(ferroscope.__file__).parent
INTERNALS = ROOT / "_sdk_internals.py"
# The places that know the private attributes of HTTP libraries.
HTTP_LIBRARIES = ("transport/", "_engine/http2.py")
KNOWN = (INTERNALS.name, "testing/", *HTTP_LIBRARIES)
# Of Python itself.
PYTHON = {"_data", "_get_running_loop", "_getframe", "_is_gil_enabled", "_name_", "_value_"}
# Of the program's own functions, classes and exceptions: names of v1, and marks that this package puts on them.
PROGRAM = {
    "_caught",
    "_construct_message_param",
    "_metadata",
    "_original_call_args",
    "_original_fn",
    "_planned",
    "_prompt_template",
    "_retry_headers",
    "_with_options",
}

SOURCES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}
PRIVATE = re.compile(r"_[a-z]\w*")


def reads(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the private attributes of other objects than `self` that a source reads, each with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(attr=name):
                found = name
            case ast.Call(func=ast.Name(id="getattr" | "hasattr"), args=[_, ast.Constant(value=str(name)), *_]):
                found = name
            case _:
                continue
        if PRIVATE.fullmatch(found):
            yield found, node.lineno


def defined(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a source defines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store()):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.alias(name=name):
                yield name.rpartition(".")[-1]


def test_private_attributes_of_sdks_are_read_in_one_module() -> None:
    own = {name for tree in SOURCES.values() for name in defined(tree)} | PYTHON | PROGRAM
    of_sdks = {name for node in ast.walk(SOURCES[INTERNALS]) if isinstance(node, ast.Constant) for name in [node.value]}
    elsewhere = [
        f"{place}:{line}: {name}"
        for path, tree in SOURCES.items()
        if not (place := path.relative_to(ROOT).as_posix()).startswith(
            ("_sdk_internals.py", "testing/", *HTTP_LIBRARIES)
        )
        for name, line in reads(tree)
        if name not in own or (name in of_sdks and name not in ("_client", "_endpoint"))
    ]
    assert elsewhere == []


def test_the_scan_finds_attributes_by_any_spelling() -> None:
    source = 'a._one\nself._two\ngetattr(a.b, "_three", None)\nhasattr(a, "_four")\na.__dict__\nf()._five'
    assert {name for name, _ in reads(ast.parse(source))} == {"_one", "_three", "_four", "_five"}
