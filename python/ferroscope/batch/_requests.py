"""Hashes of rows and requests, which are the same in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel

from .._engine.call import Call

# Any: rows and requests contain values of any type.


def canonical_json(value: Any) -> bytes:
    """Return a value as JSON with sorted members. Equal values have the same text in every process."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except TypeError:  # an integer of more than 64 bits, or keys that cannot be sorted
        return json.dumps(value, default=_plain, sort_keys=True).encode()


def _plain(value: Any) -> object:
    if isinstance(value, BaseModel):
        return {"": type(value).__qualname__, **value.__dict__, **(value.__pydantic_extra__ or {})}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return {"": "bytes", "sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, set | frozenset):
        return sorted(map(canonical_json, value))
    if hasattr(value, "tolist"):  # numpy
        return value.tolist()
    if hasattr(value, "isoformat") or _has_own_text(type(value)):
        return str(value)
    # Never `repr`: it may contain an address, or the key of a client.
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"<{named.__module__}.{named.__qualname__}>"


def _has_own_text(kind: type) -> bool:
    return any("__str__" in vars(base) for base in kind.__mro__[:-1])


def row_hash(row: Any) -> str:
    """Return a hash of the content of a row."""
    return hashlib.sha256(canonical_json(row)).hexdigest()[:32]


def request_hash(call: Call) -> bytes:
    """Return a hash of the request of a call: the provider, the API and everything that is sent."""
    sent = {
        "provider": call.provider.name,
        "dialect": call.provider.dialect.name,
        "model": call.plan.model,
        "kwargs": call.kwargs,
        "target": None if call.extraction is None else call.extraction.mode,
    }
    return hashlib.sha256(canonical_json(sent)).digest()[:16]
