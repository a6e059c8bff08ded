"""Reads a structured value while the model is still writing it: a new partial instance after every delta.

`PartialReader` feeds the text to the incremental parser and replays what each delta did on a tree of nodes,
one for every container that is open. Only the nodes from the root to where the text goes on make new values;
what is complete is shared between the instances. So a delta costs what the delta costs, however much came before.

What an instance shows, and when:

- **A field appears when its value does** and is None before. Strings grow. Numbers, booleans, dates, enums and
  all else that has no beginning appear when complete. Models, lists and dicts appear when they open.
- **Complete fields are validated, growing ones are not.** A complete value passes its field's type, constraints
  and field validators. One that passes the type alone shows as that; one that has not even the type does not
  show (as an item of a list it shows as None). Nothing of this stops the stream. Validators of whole models, and
  of fields that hold models, run on the final value, which is validated as a whole.
- **An instance does not change after it was handed out**, nor does anything in it: collect them, compare them,
  put them in a queue. Parts that are complete are shared between instances, so treat them as read-only.
- Unions that hold models or containers, sets and tuples are tried again whenever something in them changes and
  appear as soon as they pass, at a cost that grows with their size; other unions show when complete.

Lists, dicts and long strings that grow are handed out from two buffers in turn; the older is written to again
only if nobody else holds it (its reference count says so), otherwise it is left alone and copied. Whoever keeps
every instance therefore pays for copies of what is growing; everybody else pays for what is new.
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
    """A value of a type, growing with the text that is fed.

    ```python
    reader = PartialReader(Book)
    for delta in deltas:
        if reader.feed(delta):
            show(reader.value)  # a PartialBook, fields None until they are known
    book = reader.finish()  # a Book
    ```

    Args:
        target: A model, or any other annotation.
        given: Fields of the model that are known beforehand; they show from the first instance on, whatever
            the text says about them.
    """

    @overload
    def __init__(
        self,
        target: type[T],
        *,
        given: Mapping[str, Any] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: PartialReader[Any],
        target: object,
        *,
        given: Mapping[str, Any] | None = None,
    ) -> None: ...
    def __init__(
        self,
        target: Any,
        *,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self._target = target
        self._given = dict(given or {})
        plan = plan_of(target)
        if self._given and plan.model is not None:
            plan = replace(plan, model=_with_given(plan.model, self._given))
        self._root = RootNode(plan)
        self._top: Node = self._root
        self._json = PartialJson(root=_root(plan))
        self._completed = False

    @property
    def value(self) -> T | None:
        """The instance as of the last feed; None while nothing shows."""
        value: T | None = self._root.value
        return value

    @property
    def raw(self) -> Any:
        """The plain JSON value so far; its containers are live and grow with the next feed."""
        return self._json.value

    @property
    def is_complete(self) -> bool:
        """Whether the document is complete."""
        return self._json.is_complete

    @property
    def changes(self) -> list[tuple[Path, bool]]:
        """What the last feed touched, in order: the path, and whether the value there is complete now."""
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
        # Text only goes on at one place: all that shows and is not on the way there is complete.
        return self._json.is_complete or self._json.open_path[: len(path)] != path

    def feed(self, delta: str | bytes) -> bool:
        """Reads more of the text; says whether `value` changed.

        Raises:
            JsonError: The text is not JSON; what came before that byte stays readable.
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
        """Return the text is at its end: returns the whole value, validated as the type itself.

        Raises:
            JsonError: The document is missing or not complete.
            pydantic.ValidationError: It is not a value of the type.
        """
        if self._json.finish():
            self._replay()
        value = self._json.value
        if self._given and isinstance(value, dict):
            value = {**value, **self._given}
        adapter: TypeAdapter[T] = TypeAdapter(self._target)
        return adapter.validate_json(json.dumps(value)) if _is_strict(self._target) else adapter.validate_python(value)

    def read(self, deltas: Iterable[str | bytes], *, every: Every = "delta") -> Iterator[T]:
        """Yields an instance for every delta, or only when it changed, or when one of its fields is complete now."""
        for delta in deltas:
            changed = self.feed(delta)
            if self.wants(every, changed) and self._root.value is not None:
                yield self._root.value

    def wants(self, every: Every, changed: bool) -> bool:
        """Return whether the last feed is one to yield after; for those who drive the deltas themselves."""
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
    """Return whether a model wants exact types: then only the JSON reader knows that a date is text there."""
    return isinstance(target, type) and issubclass(target, BaseModel) and bool(target.model_config.get("strict"))


def _root(plan: Plan) -> Literal["object", "container", "value"]:
    """Where to look for the document: a model is an object, whatever brackets stand in the text before it."""
    if plan.shape in (Shape.MODEL, Shape.DICT):
        return "object"
    return "container" if plan.shape is Shape.LIST else "value"


def _with_given(plan: ModelPlan, given: Mapping[str, Any]) -> ModelPlan:
    fields = {key: field for key, field in plan.fields.items() if field[0] not in given}
    return replace(plan, fields=fields, blank={**plan.blank, **given})
