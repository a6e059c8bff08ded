"""An incremental reader of structured values: a new partial instance after every delta.

`PartialReader` feeds the text to the incremental parser, and applies the changes of each delta to a tree of nodes with
one node per open container. Only the nodes on the path from the root to the current position build new values.
Complete parts are shared between the instances. So the cost of a delta does not depend on the text before it.

The content of an instance:

- **A field appears with its value** and is None before. Strings grow. Numbers, booleans, dates, enums and other
  indivisible values appear when complete. Models, lists and dicts appear when they open.
- **Complete fields are validated, growing ones are not.** A complete value must pass its field's type, constraints and
  field validators. A value that passes only the type is shown as that type. A value that does not even pass the type
  is not shown (in a list, it is shown as None). None of this stops the stream. Validators of whole models, and of
  fields with models, run on the final value, which is validated as a whole.
- **An instance never changes after it was returned**, and neither does anything in it. So instances can be collected,
  compared or put into a queue. Complete parts are shared between instances, so do not modify them.
- Unions of models or containers, sets and tuples are validated after each change and appear as soon as they pass. The
  cost grows with their size. Other unions appear when complete.

Growing lists, dicts and long strings alternate between two buffers. The older buffer is reused only if its reference
count shows that nothing else refers to it; otherwise it is copied. So a program that keeps every instance pays for
copies of the growing values, and other programs pay only for the new text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, Literal, TypeAlias, TypeVar, overload

from pydantic import BaseModel, TypeAdapter

from ..._core import JsonError, PartialJson
from .nodes import Node, RootNode
from .plan import ModelPlan, Plan, Shape, plan_of

T = TypeVar("T")

Path: TypeAlias = tuple[str | int, ...]
Every: TypeAlias = Literal["delta", "change", "field"]

# The codes of `PartialJson.edits`.
_OPEN_LIST, _CLOSE, _GROW, _DONE, _DROP = 1, 2, 3, 4, 5


class PartialReader(Generic[T]):
    """A value of a type that grows with the text.

    ```python
    reader = PartialReader(Book)
    for delta in deltas:
        if reader.feed(delta):
            show(reader.value)  # a PartialBook, fields None until they are known
    book = reader.finish()  # a Book
    ```

    Args:
        target: A model, or any other annotation.
        prefilled: Fields of the model with known values. They are set in every instance, and override the text.
    """

    @overload
    def __init__(
        self,
        target: type[T],
        *,
        prefilled: Mapping[str, Any] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: PartialReader[Any],
        target: object,
        *,
        prefilled: Mapping[str, Any] | None = None,
    ) -> None: ...
    def __init__(
        self,
        target: Any,
        *,
        prefilled: Mapping[str, Any] | None = None,
    ) -> None:
        self._target = target
        self._prefilled = dict(prefilled or {})
        plan = plan_of(target)
        if self._prefilled and plan.model is not None:
            plan = replace(plan, model=_with_prefilled(plan.model, self._prefilled))
        self._root = RootNode(plan)
        self._top: Node = self._root
        self._json = PartialJson(root=_root(plan))
        self._completed = False

    @property
    def value(self) -> T | None:
        """The instance after the last `feed`; None until there is one."""
        value: T | None = self._root.value
        return value

    @property
    def raw(self) -> Any:
        """The plain JSON value so far. Its containers grow with the next `feed`."""
        return self._json.value

    @property
    def is_complete(self) -> bool:
        """Whether the document is complete."""
        return self._json.is_complete

    @property
    def changes(self) -> list[tuple[Path, bool]]:
        """The changes of the last `feed`, in order: the path, and whether the value there is complete now."""
        return self._json.changes()

    @property
    def completed(self) -> list[Path]:
        """The paths that the last feed completed."""
        return [path for path, done in self._json.changes() if done]

    def is_done(self, *path: str | int) -> bool:
        """Return whether the value at a path (JSON keys and indexes) has arrived and is complete."""
        value = self._json.value
        if not self._json.has_value:
            return False
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return False
        # The text continues at one path only. Every value outside of that path is complete.
        return self._json.is_complete or self._json.open_path[: len(path)] != path

    def feed(self, delta: str | bytes) -> bool:
        """Add a piece of the text. Return whether `value` changed.

        Raises:
            JsonError: The text is not JSON. The values before that byte remain readable.
        """
        self._completed = False
        try:
            if not self._json.feed(delta):
                return False
        except JsonError:
            self._replay()
            raise
        return self._replay()

    def finish(self) -> T:
        """End the text, and return the complete value, validated as the type itself.

        Raises:
            JsonError: The document is missing or incomplete.
            pydantic.ValidationError: The value does not fit the type.
        """
        if self._json.finish():
            self._replay()
        value = self._json.value
        if self._prefilled and isinstance(value, dict):
            value = {**value, **self._prefilled}
        adapter: TypeAdapter[T] = TypeAdapter(self._target)
        return adapter.validate_json(json.dumps(value)) if _is_strict(self._target) else adapter.validate_python(value)

    def read(self, deltas: Iterable[str | bytes], *, every: Every = "delta") -> Iterator[T]:
        """Yield an instance after each delta, or only after changes, or only after a field is complete."""
        for delta in deltas:
            changed = self.feed(delta)
            if self.wants(every, changed) and self._root.value is not None:
                yield self._root.value

    def wants(self, every: Every, changed: bool) -> bool:
        """Return whether to yield an instance after the last `feed`, for callers with a loop of their own."""
        return every == "delta" or (changed and (every == "change" or self._completed))

    def _replay(self) -> bool:
        root = self._root
        root.changed = False
        top = self._top
        for code, key, value in self._json.edits():
            if code == _GROW:
                top.grow(key, value)
            elif code == _DONE:
                top.done(key, value)
                self._completed = True
            elif code <= _OPEN_LIST:
                top = top.open(key, value)
            elif code == _CLOSE:
                top = top.close(value)
                self._completed = True
            elif code == _DROP:
                top.drop(key)
            else:
                top = root
                root.drop(None)
        self._top = top
        if top.dirty and top.parent is not root:
            top.release_above()
        while top is not root:
            top.refresh()
            top = top.parent
        return root.changed


def _is_strict(target: Any) -> bool:
    """Return whether a model is strict. Then only JSON text may have strings for types that JSON lacks (dates)."""
    return isinstance(target, type) and issubclass(target, BaseModel) and bool(target.model_config.get("strict"))


def _root(plan: Plan) -> Literal["object", "container", "value"]:
    """Return where the document begins. A model is an object, even if other brackets precede it in the text."""
    if plan.shape in (Shape.MODEL, Shape.DICT):
        return "object"
    return "container" if plan.shape is Shape.LIST else "value"


def _with_prefilled(plan: ModelPlan, prefilled: Mapping[str, Any]) -> ModelPlan:
    fields = {key: field for key, field in plan.fields.items() if field[0] not in prefilled}
    return replace(plan, fields=fields, blank={**plan.blank, **prefilled})
