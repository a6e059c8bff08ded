"""The containers that are open while a structured value is read, and how they show as values.

A node holds what is known of its container and makes a new value of it whenever something inside has changed.
Values that were handed out are left alone; see `Buffers` for how that stays cheap.
"""

from __future__ import annotations

import sys
from typing import Any, Generic, TypeVar

from .plan import ANY, HIDDEN, ModelPlan, Plan, Shape

_ContainerT = TypeVar("_ContainerT", list[Any], dict[str, Any])


class Node:
    """A container that is open. `dirty` says that what its parent shows of it is out of date."""

    __slots__ = ("dirty", "key", "parent")

    def __init__(self, parent: Node, key: Any) -> None:
        self.parent = parent
        self.key = key
        self.dirty = True

    def plan_for(self, key: Any) -> Plan | None:
        """Return the plan of the value at a key; None if such a value does not show."""
        raise NotImplementedError

    def put(self, key: Any, value: Any) -> None:
        """The value at a key shows, or shows anew."""
        raise NotImplementedError

    def drop(self, key: Any) -> None:
        """The value at a key shows no longer."""

    def snapshot(self) -> Any:
        """What the parent shows, or `HIDDEN` to leave it as it is."""
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
        """Return a container opens at a key; returns its node."""
        plan = self.plan_for(key)
        if plan is None:
            return TriedNode(self, key, ANY, None)
        if type(live) is dict:
            if plan.shape is Shape.MODEL and plan.model is not None:
                return ModelNode(self, key, plan.model)
            if plan.shape in (Shape.DICT, Shape.ANY):
                return DictNode(self, key, plan)
        elif plan.shape in (Shape.LIST, Shape.ANY):
            return ListNode(self, key, plan)
        return TriedNode(self, key, plan, live)

    def close(self, live: Any) -> Node:
        """Return the container is complete; returns its parent."""
        self.refresh()
        return self.parent

    def release_above(self) -> None:
        """Has the containers above, outermost first, let go of what they hold of older copies of this one."""
        above = self.parent
        if above.parent is not above:
            above.release_above()
            above.release(self.key)

    def release(self, key: Any) -> None:
        """Lets go of what the older copy holds at a key; it is written anew before it is handed out."""

    def refresh(self) -> None:
        """Shows in the parent what has changed."""
        if self.dirty:
            self.dirty = False
            value = self.snapshot()
            if value is not HIDDEN:
                self.parent.put(self.key, value)


class RootNode(Node):
    """Above the document: holds the value that shows."""

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
    """A model: one new instance for every change, its complete fields shared with the one before."""

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
        # As `model_construct` does it, without its walk over all fields.
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
    """Hands out a growing list or dict so that nobody sees it change, without copying it each time.

    Two copies take turns. When it is a copy's turn again, the value that held it is two steps old; if nobody
    kept that (nor the copy itself), what is new is added to it. Otherwise it is left to its holder and a new
    copy is made.
    """

    __slots__ = ("_newer", "_newer_len", "_older", "_older_len")

    def __init__(self) -> None:
        self._older: _ContainerT | None = None
        self._newer: _ContainerT | None = None
        self._older_len = self._newer_len = 0

    def free(self) -> _ContainerT | None:
        """Return the older copy, if only we hold it and it is as we left it."""
        older = self._older
        if older is not None and sys.getrefcount(older) <= _OURS and len(older) == self._older_len:
            return older
        return None

    def hand_out(self, container: _ContainerT) -> None:
        """`container` is the newer copy now."""
        self._older, self._older_len = self._newer, self._newer_len
        self._newer, self._newer_len = container, len(container)


def _references_of_ours() -> int:
    """What `sys.getrefcount` says in `Buffers.free` about a container that nobody else holds."""

    class Probe(Buffers[list[Any]]):
        def free(self) -> Any:
            older = self._older
            if older is not None:
                return sys.getrefcount(older)
            return None

    probe = Probe()
    probe._older = []
    return int(probe.free())


# Without a global lock another thread may take a reference between the count and the use: always copy there.
_OURS = _references_of_ours() if getattr(sys, "_is_gil_enabled", lambda: True)() else -1


class ListNode(Node):
    """A list. Only its last item can change: everything before it is complete."""

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
            # An item that cannot show keeps its place, so that the others keep theirs.
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
    """A dict. What changed since a copy was handed out is all that the copy lacks."""

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


class TriedNode(Node):
    """A container that has no way to grow of its own: tried as a whole, or shown when it is complete."""

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
        if self.live is None or self.plan.shape is not Shape.TRIED:
            return HIDDEN
        # The text's own containers go on growing: what is handed out must not hold them.
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
