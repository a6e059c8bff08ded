"""Caches of answers, the values of the option `cache=` of calls.

`MemoryCache` is for one process, `SQLiteCache` for several processes and later runs. Any object with the methods of
`Cache` works too.
"""

from __future__ import annotations

from ._memory import MemoryCache
from ._protocol import Cache
from ._sqlite import SQLiteCache

__all__ = ["Cache", "MemoryCache", "SQLiteCache"]
