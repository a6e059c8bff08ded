"""Values that are active inside `with` blocks, in the order in which the blocks were entered.

A `ContextVar` with `reset` is enough for blocks that end in reverse order, in the context that entered them. Blocks
inside generators end in any order, and an exit may run in another context: another task, another thread, or the
finalizer of an async generator. Here an exit removes only its own entry and never raises, and a removed entry does
not return.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Entry(Generic[_T]):
    """An active value on the stack of a context.

    Attributes:
        value: The value.
        closed: Whether the entry is ignored on every stack that still contains it.
        token: The token of the `ContextVar.set` that added the entry.
    """

    __slots__ = ("closed", "token", "value")

    def __init__(self, value: _T) -> None:
        self.value = value
        self.closed = False
        self.token: Token[tuple[Entry[_T], ...]] | None = None


class Scopes(Generic[_T]):
    """A stack of active values for each context; tasks inherit the stack of the code that starts them."""

    __slots__ = ("_stack",)

    def __init__(self, name: str) -> None:
        self._stack: ContextVar[tuple[Entry[_T], ...]] = ContextVar(name, default=())

    def active(self) -> tuple[_T, ...]:
        """Return the active values, the outermost first."""
        stack = self._stack.get()
        return tuple(entry.value for entry in stack if not entry.closed) if stack else ()

    def enter(self, value: _T) -> Entry[_T]:
        """Add a value to the current context; `exit` removes it."""
        entry = Entry(value)
        entry.token = self._stack.set((*self._stack.get(), entry))
        return entry

    def exit(self, entry: Entry[_T]) -> None:
        """Remove an entry.

        In the context that entered it, the entry is removed from the stack. Tasks that were started inside the block
        keep it, as they keep every context variable. In any other context, the entry is closed instead, because the
        stack that contains it cannot be changed from here.
        """
        stack = self._stack.get()
        here = entry in stack
        try:
            if entry.token is not None:
                self._stack.reset(entry.token)
        except (ValueError, RuntimeError):  # another context, or an entry that was removed before
            here = False
        self._stack.set(tuple(other for other in stack if other is not entry))
        entry.closed = entry.closed or not here
        entry.token = None

    def contains(self, entry: Entry[_T]) -> bool:
        """Return whether the entry is on the stack of the current context."""
        return entry in self._stack.get()

    @contextmanager
    def replaced(self, values: Sequence[_T]) -> Iterator[None]:
        """Make exactly these values active inside the block, even if their own blocks have ended."""
        before = self._stack.get()
        self._stack.set(tuple(map(Entry, values)))
        try:
            yield
        finally:
            self._stack.set(before)


class ReentrantScope(Generic[_T]):
    """A value with the `with` and `async with` protocol that may be entered several times, also concurrently."""

    __slots__ = ("_entries", "_scopes", "_value")

    def __init__(self, scopes: Scopes[_T], value: _T) -> None:
        self._scopes = scopes
        self._value = value
        self._entries: list[Entry[_T]] = []

    def enter(self) -> None:
        """Make the value active in the current context."""
        self._entries.append(self._scopes.enter(self._value))

    def exit(self) -> None:
        """End the newest block of the current context, or the newest block of any context if there is none."""
        entries = tuple(self._entries)
        if not entries:
            return
        entry = next(filter(self._scopes.contains, reversed(entries)), entries[-1])
        with suppress(ValueError):  # removed by another thread
            self._entries.remove(entry)
        self._scopes.exit(entry)
