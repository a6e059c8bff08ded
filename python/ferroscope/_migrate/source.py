"""The rewriting of a Python module: imports, uses of the package's name, and dotted names in strings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import (
    Assignment,
    ImportAssignment,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    Scope,
    ScopeProvider,
)

from .names import NEW, OF_OPTIONS, OLD, exists, is_old, new_name, section_of

_DOTTED: Final = re.compile(rf"{OLD}(\.[A-Za-z_]\w*)+")
# Functions whose argument is the name of a module.
_IMPORTERS: Final = {"__import__", "find_spec", "getLogger", "import_module", "importorskip", "version"}
_Uses: TypeAlias = "dict[str, list[int]]"


@dataclass
class Found:
    """The result of rewriting a module.

    Attributes:
        code: The module after the changes.
        sections: The sections of the deviations that concern it, with the lines.
        missing: The names without an equivalent, with the lines. Their imports are left as they are.
    """

    code: bytes
    sections: _Uses = field(default_factory=dict)
    missing: _Uses = field(default_factory=dict)


def rewrite(code: bytes) -> Found:
    """Return a module with the imports of Mirascope changed.

    Raises:
        libcst.ParserSyntaxError: The code is not valid Python.
    """
    if OLD.encode() not in code:
        return Found(code)
    wrapper = MetadataWrapper(cst.parse_module(code))
    rewriter = _Rewriter()
    changed = wrapper.visit(rewriter)
    rewriter.found.code = changed.bytes
    return rewriter.found


class _Rewriter(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (ParentNodeProvider, PositionProvider, ScopeProvider)

    def __init__(self) -> None:
        super().__init__()
        self.found = Found(b"")
        self._kept: set[cst.CSTNode] = set()

    # ---- imports

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        module = _name(node.module) if node.module is not None and not node.relative else ""
        if not is_old(module):
            return False
        names = [module]
        if not isinstance(node.names, cst.ImportStar):
            names = [f"{module}.{_name(alias.name)}" for alias in node.names]
        self._note(node, names)
        if any(not exists(name) for name in names):
            self._kept.add(node)
        return False

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.BaseSmallStatement | cst.FlattenSentinel[cst.BaseSmallStatement]:
        module = _name(original_node.module) if original_node.module is not None and not original_node.relative else ""
        if not is_old(module) or original_node.module is None:
            return updated_node
        renamed = updated_node.with_changes(module=_renamed(original_node.module))
        if original_node not in self._kept:
            return renamed
        if isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        # A statement with names of both kinds becomes two.
        here = [alias for alias in updated_node.names if exists(f"{module}.{_name(alias.name)}")]
        gone = [alias for alias in updated_node.names if alias not in here]
        if not here:
            return updated_node
        return cst.FlattenSentinel(
            [renamed.with_changes(names=_ended(here)), updated_node.with_changes(names=_ended(gone))]
        )

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.FlattenSentinel[cst.SimpleStatementLine]:
        if len(original_node.body) > 1 or len(updated_node.body) == 1:
            return updated_node
        first, second = (part.with_changes(semicolon=cst.MaybeSentinel.DEFAULT) for part in updated_node.body)
        return cst.FlattenSentinel(
            [
                updated_node.with_changes(body=[first], trailing_whitespace=cst.TrailingWhitespace()),
                updated_node.with_changes(body=[second], leading_lines=()),
            ]
        )

    def visit_Import(self, node: cst.Import) -> bool:
        self._note(node, [_name(alias.name) for alias in node.names if is_old(_name(alias.name))])
        return False

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import:
        aliases = [
            alias.with_changes(name=_renamed(alias.name))
            if is_old(_name(alias.name)) and exists(_name(alias.name))
            else alias
            for alias in updated_node.names
        ]
        return updated_node.with_changes(names=aliases)

    # ---- uses

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if original_node.value != OLD or not self._is_the_package(original_node):
            return updated_node
        return updated_node.with_changes(value=NEW)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        name = get_full_name_for_node(node) or ""
        parent = self._parent(node)
        if is_old(name) and not isinstance(parent, cst.Attribute) and self._is_the_package(_root(node)):
            self._note(node, [name], whole=False)
        return True

    def _is_the_package(self, node: cst.CSTNode) -> bool:
        """Return whether a name is bound by an import of Mirascope that was changed."""
        if not isinstance(node, cst.Name) or node.value != OLD:
            return False
        scope = self.get_metadata(ScopeProvider, node, None)
        if not isinstance(scope, Scope):
            return False
        assignments = set(scope[OLD])
        return bool(assignments) and all(
            isinstance(found, ImportAssignment) and _is_changed(found) for found in assignments
        )

    def visit_Arg(self, node: cst.Arg) -> bool:
        option = node.keyword.value if node.keyword is not None else ""
        if option in OF_OPTIONS and self._is_of_call(node):
            self._add(self.found.sections, OF_OPTIONS[option], node)
        return True

    def _is_of_call(self, node: cst.Arg) -> bool:
        """Return whether an argument is of a call decorator or of an override."""
        call = self._parent(node)
        name = get_full_name_for_node(call.func) if isinstance(call, cst.Call) else None
        return name is not None and name.rpartition(".")[2] in ("call", "override")

    # ---- strings

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        value = original_node.evaluated_value
        if not isinstance(value, str) or "f" in original_node.prefix:
            return updated_node
        if _DOTTED.fullmatch(value):
            if not exists(value):
                self._add(self.found.missing, value, original_node)
                return updated_node
        elif value != OLD or not self._is_imported(original_node):
            return updated_node
        return updated_node.with_changes(value=original_node.value.replace(OLD, NEW, 1))

    def _is_imported(self, node: cst.SimpleString) -> bool:
        argument = self._parent(node)
        call = self._parent(argument)
        name = get_full_name_for_node(call.func) if isinstance(call, cst.Call) else None
        return name is not None and name.rpartition(".")[2] in _IMPORTERS

    def _parent(self, node: cst.CSTNode) -> cst.CSTNode:
        parent: Any = self.get_metadata(ParentNodeProvider, node)  # Any: type checkers disagree about the default
        assert isinstance(parent, cst.CSTNode)
        return parent

    # ---- findings

    def _note(self, node: cst.CSTNode, names: Sequence[str], *, whole: bool = True) -> None:
        for name in names:
            if not exists(name) and (whole or not exists(name.rpartition(".")[0])):
                self._add(self.found.missing, name, node)
            elif section := section_of(name):
                self._add(self.found.sections, section, node)

    def _add(self, uses: _Uses, key: str, node: cst.CSTNode) -> None:
        place: Any = self.get_metadata(PositionProvider, node)  # Any: type checkers disagree about the default
        line: int = place.start.line
        lines = uses.setdefault(key, [])
        if line not in lines:
            lines.append(line)


def _is_changed(found: Assignment) -> bool:
    node = found.node
    names = [_name(alias.name) for alias in _aliases(node) if _name(alias.name).partition(".")[0] == OLD]
    return bool(names) and all(exists(name) for name in names)


def _aliases(node: cst.CSTNode) -> Iterator[cst.ImportAlias]:
    if isinstance(node, cst.Import):
        yield from node.names


def _name(node: cst.CSTNode) -> str:
    return get_full_name_for_node(node) or ""


def _root(node: cst.BaseExpression) -> cst.BaseExpression:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def _renamed(node: cst.Attribute | cst.Name) -> cst.Attribute | cst.Name:
    """Return a dotted name with the first part changed, and its white space kept."""
    if isinstance(node, cst.Name):
        return node.with_changes(value=new_name(node.value))
    return node.with_changes(value=_renamed(cst.ensure_type(node.value, type(node.value))))  # type: ignore[arg-type]


def _ended(aliases: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    """Return aliases without a comma after the last one."""
    return [*aliases[:-1], aliases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
