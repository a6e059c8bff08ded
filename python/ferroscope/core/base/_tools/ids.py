"""The ids of tool calls in a request: unique, equal in a call and its result, and valid for the provider.

Servers send calls without an id, with an empty id, or with the same id in every turn, and each provider accepts
different ids. Only the copy that is sent is changed. The same history always gets the same ids, because an id depends
only on the messages before it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, count, islice
from typing import Any, Final

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LONGEST: Final = 64
_DIGEST: Final = 24


@dataclass(frozen=True, slots=True)
class ToolId:
    """An id in a message.

    Attributes:
        is_call: Whether it belongs to a call instead of a result.
        id: The id; None or empty if there is none.
        name: The name of the tool; empty if the message does not contain it.
    """

    is_call: bool
    id: str | None
    name: str = ""


def unify_tool_ids(
    messages: list[Any],  # Any: messages in the SDK's format
    pattern: str,
    read: Callable[[Any], Sequence[ToolId]],
    replace: Callable[[Any, Sequence[str]], Any],
) -> list[Any]:
    """Return messages whose tool ids are unique, equal in a call and its result, and match a pattern.

    Unchanged messages are the same objects; if no message changes, the list is the same too.

    Args:
        messages: The messages of a request, in the provider's format.
        pattern: The regular expression of the ids that the provider accepts; empty if it accepts any.
        read: Return the ids in a message, in order.
        replace: Return a copy of a message with other ids, in the same order.
    """
    found = [read(message) for message in messages]
    if not any(found):
        return messages
    ids = _Ids(pattern)
    changed: list[Any] = []
    for message, places in zip(messages, found, strict=True):
        new = ids.of_message(places)
        same = all(place.id == one for place, one in zip(places, new, strict=True))
        changed.append(message if same else replace(message, new))
    return messages if all(map(_is, changed, messages)) else changed


def _is(one: object, other: object) -> bool:
    return one is other


class _Ids:
    """The ids assigned so far."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._used: set[str] = set()
        self._calls = 0
        # By original id: the calls without a result yet, as (new id, name), and the new id of the last call.
        self._pending: dict[str, list[tuple[str, str]]] = {}
        self._last: dict[str, str] = {}
        self._has_results = False

    def of_message(self, places: Sequence[ToolId]) -> list[str]:
        if self._has_results and any(place.is_call for place in places):
            # A new turn: a repeated id belongs to another call.
            for place in places:
                if place.is_call:
                    self._pending.pop(place.id or "", None)
            self._has_results = False
        return [self._call(place) if place.is_call else self._result(place) for place in places]

    def _call(self, place: ToolId) -> str:
        self._calls += 1
        given = place.id or ""
        new = self._new(given or f"call_{self._calls}")
        self._pending.setdefault(given, []).append((new, place.name))
        self._last[given] = new
        return new

    def _result(self, place: ToolId) -> str:
        self._has_results = True
        given = place.id or ""
        pending = self._pending.get(given)
        if not pending and not given:
            # The result has no id although its call has one.
            pending = next((calls for calls in self._pending.values() if calls), None)
        if pending:
            named = (call for call in pending if place.name and call[1] == place.name)
            call = next(named, pending[0])
            pending.remove(call)
            return call[0]
        return self._last.get(given) or self._new(given or f"call_{self._calls}")

    def _new(self, wanted: str) -> str:
        new = next(one for one in _candidates(wanted, self._pattern) if one not in self._used)
        self._used.add(new)
        return new


def _candidates(wanted: str, pattern: str) -> Iterator[str]:
    """Yield ids that match a pattern, the most similar to the wanted id first."""
    matches = _matcher(pattern)
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", wanted)
    yield from filter(matches, (wanted, plain))
    for number in count(2):
        digest = _digest(f"{wanted}\0{number}")
        near = filter(matches, (f"{plain}_{number}", f"{plain[: _LONGEST - 9]}_{digest[:8]}"))
        cut = filter(matches, (digest[:length] for length in range(_DIGEST, 0, -1)))
        found = list(islice(chain(near, cut), 1))
        if not found:
            raise ValueError(
                f"no id of letters and digits matches the pattern of tool ids {pattern!r}; change the pattern so that "
                f"it matches up to {_DIGEST} letters and digits"
            )
        yield from found


@cache
def _matcher(pattern: str) -> Callable[[str], bool]:
    expression = re.compile(pattern or ".+", re.DOTALL)
    return lambda text: expression.fullmatch(text) is not None


def _digest(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    digits: list[str] = []
    for _ in range(_DIGEST):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(digits)
