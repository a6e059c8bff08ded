"""The examples of a page as modules that type checkers can read."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path


def write_examples(page: Path, folder: Path) -> list[Path]:
    """Write each example of a page as a module, and return the paths.

    An example may use names of the examples above it. Their imports are copied, and what they define is imported.
    """
    examples = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    sources: dict[str, str] = {}  # the statement that brings a name of the examples above
    files = []
    for number, example in enumerate(examples):
        module = f"{page.stem.lower().replace('-', '_')}_{number}"
        tree = ast.parse(example)
        needed = sorted(_used(tree) - _bound(tree) - set(dir(builtins)))
        future = "from __future__ import annotations\n" if "from __future__" in example else ""
        head = "".join(sources[name] + "\n" for name in needed if name in sources)
        file = folder / f"{module}.py"
        file.write_text(f"{future}{head}{example.replace(future, '') if future else example}", encoding="utf-8")
        files.append(file)
        for name, imported in _top_level(tree):
            sources[name] = imported or f"from {module} import {name}"
    return files


def _used(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _bound(tree: ast.AST) -> set[str]:
    """Return the names that an example binds in any of its scopes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {_bound_by(alias) for alias in node.names}
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
    return found


def _top_level(tree: ast.Module) -> list[tuple[str, str | None]]:
    """Return the names that the module defines, each with its import statement if it is imported."""
    found: list[tuple[str, str | None]] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                found.append((_bound_by(alias), ast.unparse(_single(node, alias))))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append((node.name, None))
        else:
            targets = [
                name for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            ]
            found.extend((name.id, None) for name in targets)
    return found


def _single(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
    if isinstance(node, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(node.module, [alias], node.level)


def _bound_by(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]
