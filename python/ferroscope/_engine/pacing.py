"""The time at which a request may be sent: cool-downs and rate limits that the calls of an account share."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ..core.base.retry import RateLimit

# The minimum time in seconds over which the calls of an account resume after a cool-down of at least that length.
_SPREAD: Final = 0.25
# A limit, so that programs with the keys of many tenants do not fill the memory.
_KEPT: Final = 10_000

_T = TypeVar("_T")


class CoolDown:
    """The time until which no request of an account is sent, after the provider refused one."""

    __slots__ = ("_lock", "_spread", "_until")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._spread = 0.0

    def begin(self, seconds: float) -> None:
        """Extend the cool-down of the account to this number of seconds from now, unless it is longer already."""
        until = time.monotonic() + seconds
        with self._lock:
            if until > self._until:
                self._until, self._spread = until, max(min(_SPREAD, seconds), seconds / 4)

    def left(self) -> float:
        """Return the seconds until a call may be sent, with a random part; 0 if it may be sent now."""
        with self._lock:
            left = self._until - time.monotonic()
            return left + random.uniform(0, self._spread) if left > 0 else 0.0


@dataclass(slots=True, eq=False)
class _Entry:
    """An amount, and its time."""

    at: float
    amount: float
    is_counted: bool = True


class Window:
    """A limit for the sum of amounts in any period of a certain length.

    Args:
        limit: The limit.
        period: The length of the period in seconds.
    """

    __slots__ = ("_entries", "_limit", "_period", "_used")

    def __init__(self, limit: float, period: float) -> None:
        self._limit = limit
        self._period = period
        self._entries: deque[_Entry] = deque()
        self._used = 0.0

    def earliest(self, now: float, amount: float) -> float:
        """Return the earliest time for an amount. An amount over the limit needs an otherwise empty period."""
        while self._entries and self._entries[0].at + self._period <= now:
            entry = self._entries.popleft()
            entry.is_counted = False
            self._used -= entry.amount
        at = max(now, self._entries[-1].at) if self._entries else now
        over = self._used + min(amount, self._limit) - self._limit
        for entry in self._entries:
            if over <= 0:
                break
            over -= entry.amount
            at = max(at, entry.at + self._period)
        return at

    def add(self, at: float, amount: float) -> _Entry:
        """Add an amount at a time, which must not precede the last one."""
        entry = _Entry(at, amount)
        self._entries.append(entry)
        self._used += amount
        return entry

    def correct(self, entry: _Entry, amount: float) -> None:
        """Correct the amount of an entry."""
        if entry.is_counted:
            self._used += amount - entry.amount
        entry.amount = amount


class Limiter:
    """The requests and tokens of the calls that share a rate limit."""

    __slots__ = ("_lock", "_requests", "_tokens")

    def __init__(self, limit: RateLimit) -> None:
        self._lock = threading.Lock()
        requests, tokens = limit.requests_per_minute, limit.tokens_per_minute
        self._requests = None if requests is None else Window(requests, limit.period)
        self._tokens = None if tokens is None else Window(tokens, limit.period)

    def reserve(self, tokens: float) -> tuple[float, _Entry | None]:
        """Reserve the next free time for a request.

        Args:
            tokens: The estimated tokens.

        Returns:
            The seconds until then, and the entry to correct when the tokens are known.
        """
        with self._lock:
            now = at = time.monotonic()
            if self._requests is not None:
                at = self._requests.earliest(at, 1)
            if self._tokens is not None:
                at = max(at, self._tokens.earliest(now, tokens))
            if self._requests is not None:
                self._requests.add(at, 1)
            entry = None if self._tokens is None else self._tokens.add(at, tokens)
            return at - now, entry

    def reserve_now(self, tokens: float) -> tuple[bool, _Entry | None]:
        """Reserve a request for this moment. Return whether that is within the limit, and the entry to correct."""
        with self._lock:
            now = time.monotonic()
            if self._requests is not None and self._requests.earliest(now, 1) > now:
                return False, None
            if self._tokens is not None and self._tokens.earliest(now, tokens) > now:
                return False, None
            if self._requests is not None:
                self._requests.add(now, 1)
            return True, None if self._tokens is None else self._tokens.add(now, tokens)

    def settle(self, entry: _Entry | None, tokens: float) -> None:
        """Correct the tokens of a request."""
        if entry is not None and self._tokens is not None:
            with self._lock:
                self._tokens.correct(entry, tokens)


class _Shared(Generic[_T]):
    """The shared objects of this process by key. Each is created once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Hashable, _T] = {}

    def get(self, key: Hashable) -> _T | None:
        return self._kept.get(key)

    def add(self, key: Hashable, made: _T) -> _T:
        with self._lock:
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            return self._kept.setdefault(key, made)


_cool_downs: _Shared[CoolDown] = _Shared()
_limiters: _Shared[Limiter] = _Shared()


def cool_down(account: Hashable) -> CoolDown:
    """Return the cool-down that all calls of an account share."""
    return _cool_downs.get(account) or _cool_downs.add(account, CoolDown())


def limiter(account: Hashable, model: str, limit: RateLimit) -> Limiter:
    """Return the limiter that all calls of an account with this model and limit share."""
    key = (account, model, limit)
    return _limiters.get(key) or _limiters.add(key, Limiter(limit))
