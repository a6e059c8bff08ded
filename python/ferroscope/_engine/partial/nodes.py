"""The open containers of a structured value, and their values so far.

A node has the state of its container, and builds a new value whenever something inside has changed. Values that were
returned before are not modified. `Buffers` explains why that is cheap.
"""

from __future__ import annotations

import sys
from typing import Any, Generic, TypeVar

from .plan import ANY, HIDDEN, ModelPlan, Plan, Shape

_ContainerT = TypeVar("_ContainerT", list[Any], dict[str, Any])


class Node:
    """An open container. `dirty` means that the value in its parent is out of date."""

    __slots__ = ("dirty", "key", "parent")

    def __init__(self, parent: Node, key: Any) -> None:
        self.parent = parent
        self.key = key
        self.dirty = True

    def plan_for(self, key: Any) -> Plan | None:
        """Return the plan of the value at a key; None if that value is not shown."""
        raise NotImplementedError

    def put(self, key: Any, value: Any) -> None:
        """Set or replace the value at a key."""
        raise NotImplementedError

    def drop(self, key: Any) -> None:
        """Remove the value at a key."""

    def snapshot(self) -> Any:
        """Return the current value for the parent, or `HIDDEN` to keep the previous one."""
        raise NotImplementedError

    def grow(self, key: Any, value: Any) -> None:
        plan = self.plan_for(key)
        if plan is None:
            return
        if type(value) is str:
            if plan.text:
                self.put(key, value)
        elif (value := plan.complete(value)) is not HIDDEN:
            self.put(key, value)

    def done(self, key: Any, value: Any) -> None:
        plan = self.plan_for(key)
        if plan is not None:
            if type(value) is not plan.exact:
                value = plan.complete(value)
            self.put(key, value)

    def open(self, key: Any, live: Any) -> Node:
        """Open a container at a key, and return its node."""
        plan = self.plan_for(key)
        if plan is None:
            return RevalidatedNode(self, key, ANY, None)
        if type(live) is dict:
            if plan.shape is Shape.MODEL and plan.model is not None:
                return ModelNode(self, key, plan.model)
            if plan.shape in (Shape.DICT, Shape.ANY):
                return DictNode(self, key, plan)
        elif plan.shape in (Shape.LIST, Shape.ANY):
            return ListNode(self, key, plan)
        return RevalidatedNode(self, key, plan, live)

    def close(self, live: Any) -> Node:
        """Complete the container, and return the node of its parent."""
        self.refresh()
        return self.parent

    def release_above(self) -> None:
        """Release the references that the outer containers, outermost first, have to older copies of this one."""
        above = self.parent
        if above.parent is not above:
            above.release_above()
            above.release(self.key)

    def release(self, key: Any) -> None:
        """Release the reference in the older copy at a key. The value is set again before that copy is returned."""

    def refresh(self) -> None:
        """Update the value in the parent if something has changed."""
        if self.dirty:
            self.dirty = False
            value = self.snapshot()
            if value is not HIDDEN:
                self.parent.put(self.key, value)


class RootNode(Node):
    """The node above the document, with the visible value."""

    __slots__ = ("changed", "plan", "value")

    def __init__(self, plan: Plan) -> None:
        super().__init__(self, None)
        self.plan = plan
        self.value: Any = None
        self.changed = False
        self.dirty = False

    def plan_for(self, key: Any) -> Plan | None:
        return self.plan

    def put(self, key: Any, value: Any) -> None:
        if value is not HIDDEN:
            self.value = value
            self.changed = True

    def drop(self, key: Any) -> None:
        self.value = None
        self.changed = True


class ModelNode(Node):
    """The node of a model. Each change creates an instance, which shares its complete fields with the previous one."""

    __slots__ = ("data", "extra", "fields_set", "plan")

    def __init__(self, parent: Node, key: Any, plan: ModelPlan) -> None:
        super().__init__(parent, key)
        self.plan = plan
        self.data = plan.blank.copy()
        self.fields_set: set[str] = set()
        self.extra: dict[str, Any] | None = {} if plan.keeps_extra else None

    def plan_for(self, key: Any) -> Plan | None:
        field = self.plan.fields.get(key)
        if field is not None:
            return field[1]
        return ANY if self.extra is not None else None

    def put(self, key: Any, value: Any) -> None:
        if value is HIDDEN:
            return
        field = self.plan.fields.get(key)
        if field is not None:
            name = field[0]
            self.data[name] = value
            self.fields_set.add(name)
        elif self.extra is not None:
            self.extra[key] = value
        self.dirty = True

    def drop(self, key: Any) -> None:
        field = self.plan.fields.get(key)
        if field is not None:
            self.data[field[0]] = None
            self.fields_set.discard(field[0])
        elif self.extra is not None:
            self.extra.pop(key, None)
        self.dirty = True

    def snapshot(self) -> Any:
        cls = self.plan.cls
        made = cls.__new__(cls)
        # Like `model_construct`, but without its loop over all fields.
        _set(made, "__dict__", self.data.copy())
        _set(made, "__pydantic_fields_set__", self.fields_set.copy())
        _set(
            made,
            "__pydantic_extra__",
            None if self.extra is None else self.extra.copy(),
        )
        private = cls.__private_attributes__
        _set(
            made,
            "__pydantic_private__",
            {k: v.get_default() for k, v in private.items()} if private else None,
        )
        return made


_set = object.__setattr__


class Buffers(Generic[_ContainerT]):
    """Two alternating copies of a growing list or dict, so that a returned copy never changes.

    When it is a copy's turn again, the value that contained it is two steps old. If nothing else refers to that copy,
    it
    is extended in place. Otherwise it stays unchanged, and a new copy is created.
    """

    __slots__ = ("_newer", "_newer_len", "_older", "_older_len")

    def __init__(self) -> None:
        self._older: _ContainerT | None = None
        self._newer: _ContainerT | None = None
        self._older_len = self._newer_len = 0

    def free(self) -> _ContainerT | None:
        """Return the older copy if nothing else refers to it and its length is unchanged; otherwise None."""
        older = self._older
        if older is not None and sys.getrefcount(older) <= _OWN_REFERENCES and len(older) == self._older_len:
            return older
        return None

    def hand_out(self, container: _ContainerT) -> None:
        """Record `container` as the newer copy."""
        self._older, self._older_len = self._newer, self._newer_len
        self._newer, self._newer_len = container, len(container)


def _own_reference_count() -> int:
    """Return `sys.getrefcount` in `Buffers.free` for a container without other references."""

    class Probe(Buffers[list[Any]]):
        def free(self) -> Any:
            older = self._older
            if older is not None:
                return sys.getrefcount(older)
            return None

    probe = Probe()
    probe._older = []
    return int(probe.free())


# Without the GIL, another thread may take a reference between the check and the use, so always copy there.
_OWN_REFERENCES = _own_reference_count() if getattr(sys, "_is_gil_enabled", lambda: True)() else -1


class ListNode(Node):
    """The node of a list. Only the last item can change, because all items before it are complete."""

    __slots__ = ("buffers", "items", "plan")

    def __init__(self, parent: Node, key: Any, plan: Plan) -> None:
        super().__init__(parent, key)
        self.plan = plan
        self.items: list[Any] = []
        self.buffers: Buffers[list[Any]] = Buffers()

    def plan_for(self, key: Any) -> Plan | None:
        return self.plan.item

    def put(self, key: int, value: Any) -> None:
        items = self.items
        if value is HIDDEN:
            if key < len(items):
                return
            # An item that cannot be shown keeps its place as None, so that later indexes stay right.
            value = None
        if key < len(items):
            items[key] = value
        else:
            items.append(value)
        self.dirty = True

    def drop(self, key: int) -> None:
        del self.items[key:]
        self.dirty = True

    def release(self, key: int) -> None:
        shown = self.buffers.free()
        if shown is not None and key < len(shown):
            shown[key] = None

    def snapshot(self) -> list[Any]:
        items = self.items
        shown = self.buffers.free()
        if shown is None:
            shown = items.copy()
        else:
            known = max(min(len(shown), len(items)) - 1, 0)
            shown[known:] = items[known:]
        self.buffers.hand_out(shown)
        return shown

    def close(self, live: Any) -> Node:
        self.refresh()
        plan = self.plan
        if plan.shape is not Shape.ANY and plan.types:
            checked = plan.complete(live)
            if checked is not HIDDEN:
                self.parent.put(self.key, checked)
        return self.parent


class DictNode(Node):
    """The node of a dict. It records the changes since a copy was returned, which are all that the copy lacks."""

    __slots__ = ("buffers", "changed", "members", "plan", "was_changed")

    def __init__(self, parent: Node, key: Any, plan: Plan) -> None:
        super().__init__(parent, key)
        self.plan = plan
        self.members: dict[str, Any] = {}
        self.buffers: Buffers[dict[str, Any]] = Buffers()
        self.changed: dict[str, None] = {}
        self.was_changed: dict[str, None] = {}

    def plan_for(self, key: Any) -> Plan | None:
        return self.plan.item

    def put(self, key: str, value: Any) -> None:
        if value is not HIDDEN:
            self.members[key] = value
            self.changed[key] = None
            self.dirty = True

    def drop(self, key: str) -> None:
        self.members.pop(key, None)
        self.changed[key] = None
        self.dirty = True

    def release(self, key: str) -> None:
        shown = self.buffers.free()
        if shown is not None and key in shown:
            shown[key] = None
            self.was_changed[key] = None

    def snapshot(self) -> dict[str, Any]:
        members = self.members
        shown = self.buffers.free()
        if shown is None:
            shown = members.copy()
        else:
            for key in (*self.was_changed, *self.changed):
                if key in members:
                    shown[key] = members[key]
                else:
                    shown.pop(key, None)
        self.was_changed, self.changed = self.changed, {}
        self.buffers.hand_out(shown)
        return shown

    close = ListNode.close


class RevalidatedNode(Node):
    """The node of a container that cannot be built step by step. It is validated as a whole after each change."""

    __slots__ = ("depth", "live", "plan")

    def __init__(self, parent: Node, key: Any, plan: Plan, live: Any) -> None:
        super().__init__(parent, key)
        self.plan = plan
        self.live = live
        self.depth = 0

    def open(self, key: Any, live: Any) -> Node:
        self.depth += 1
        self.dirty = True
        return self

    def grow(self, key: Any, value: Any) -> None:
        self.dirty = True

    done = grow

    def drop(self, key: Any) -> None:
        self.dirty = True

    def snapshot(self) -> Any:
        if self.live is None or self.plan.shape is not Shape.REVALIDATED:
            return HIDDEN
        # The parser's own containers keep growing, so the returned value must not refer to them.
        return self.plan.complete(_copied(self.live))

    def close(self, live: Any) -> Node:
        if self.depth:
            self.depth -= 1
            self.dirty = True
            return self
        if self.live is not None:
            self.parent.put(self.key, self.plan.complete(live))
        return self.parent


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return {key: _copied(member) for key, member in value.items()}
    if type(value) is list:
        return [_copied(item) for item in value]
    return value
