"""The option `cache=`: answers that are recorded, and decoded again in place of a request."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson
from pydantic_core import PydanticSerializationError, to_json

from ..cache import Cache, MemoryCache
from ..core.base._suggestions import shortened
from .drive import Flow
from .send_errors import key_variables

if TYPE_CHECKING:
    from .call import Call

# Any: arguments of an SDK's method, and SDK objects.

logger: Final = logging.getLogger("ferroscope.cache")

_FORMAT: Final = 1
# The arguments that do not change the answer.
_UNRELATED: Final = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "timeout",
        "user",
    }
)
# The headers that do not change it: keys, and the ids of a request.
_UNRELATED_HEADERS: Final = re.compile(
    r"authorization|api-?key|token|secret|cookie|credential|trace|request-id|idempotency", re.IGNORECASE
)

_shared: Final = MemoryCache()


def plan_cache(given: object) -> Cache | None:
    """Return the cache of a call; None if it has none.

    Raises:
        TypeError: The option has a value of another type.
        ValueError: The name is unknown.
    """
    if given is None:
        return None
    if isinstance(given, str):
        if given != "memory":
            raise ValueError(f'`cache` is "memory" or a cache such as `SQLiteCache({given!r})`, not {given!r}')
        return _shared
    if isinstance(given, type) or not isinstance(given, Cache):
        raise TypeError(f'`cache` is "memory", or an object with the methods of a `Cache`, not {shortened(given)}')
    return given


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded answer.

    Attributes:
        kind: Whether it is the body of a stream, or one response.
        framing: The framing of the events of a stream.
        is_framed: Whether the body is bytes as received, rather than events of an SDK.
        host: The host that answered.
        body: The bytes; for events, their JSON texts in an array.
    """

    kind: Literal["stream", "response"]
    framing: str
    is_framed: bool
    host: str
    body: bytes

    def dump(self) -> bytes:
        """Return the answer as bytes, for a cache."""
        head = {
            "format": _FORMAT,
            "kind": self.kind,
            "framing": self.framing,
            "is_framed": self.is_framed,
            "host": self.host,
        }
        return orjson.dumps(head) + b"\n" + self.body

    @classmethod
    def load(cls, data: bytes) -> Recorded:
        """Return the answer that a cache returned.

        Raises:
            ValueError: It is not an answer.
        """
        head, separator, body = data.partition(b"\n")
        found: dict[str, Any] = orjson.loads(head)
        if not separator or found.pop("format", None) != _FORMAT:
            raise ValueError("another format")
        return cls(**found, body=body)

    @classmethod
    def of_pieces(cls, pieces: list[bytes | str], *, framing: str, is_framed: bool, host: str) -> Recorded:
        """Return the record of a stream's pieces."""
        texts = [piece.decode() if isinstance(piece, bytes) else piece for piece in pieces] if not is_framed else []
        body = b"".join(map(_bytes, pieces)) if is_framed else orjson.dumps(texts)
        return cls("stream", framing, is_framed, host, body)

    def pieces(self) -> list[bytes | str]:
        """Return the pieces of a stream."""
        return [self.body] if self.is_framed else orjson.loads(self.body)


def _bytes(piece: bytes | str) -> bytes:
    return piece.encode() if isinstance(piece, str) else piece


class CacheEntry:
    """The place of one call's answer in its cache.

    Attributes:
        found: The recorded answer, after `look_up`; None if there is none.
    """

    __slots__ = ("_cache", "_is_async", "_key", "found")

    def __init__(self, cache: Cache, call: Call) -> None:
        self._cache = cache
        self._key = cache_key(call)
        self._is_async = call.plan.prompt.is_async
        self.found: Recorded | None = None

    def look_up(self) -> Flow:
        """Yield the step that looks for the answer."""
        yield self._step(self._load)

    def store(self, recorded: Recorded) -> Flow:
        """Yield the step that stores an answer."""
        yield self._step(partial(self._save, recorded))

    def _step(self, action: Callable[[], None]) -> Callable[[], Any]:
        if not self._is_async or not self._cache.blocks:
            return action

        async def in_thread() -> None:
            from anyio import to_thread

            await to_thread.run_sync(action)

        return in_thread

    def _load(self) -> None:
        try:
            data = self._cache.get(self._key)
            self.found = None if data is None else Recorded.load(data)
        except Exception:
            logger.warning("could not read an answer from %r", self._cache, exc_info=True)

    def _save(self, recorded: Recorded) -> None:
        try:
            self._cache.set(self._key, recorded.dump())
        except Exception:
            logger.warning("could not store an answer in %r", self._cache, exc_info=True)


def cache_key(call: Call) -> str:
    """Return the key of a call: a digest of all that decides the answer, without API keys.

    Raises:
        TypeError: An argument cannot be compared between calls.
    """
    provider = call.provider
    kwargs = {name: value for name, value in call.kwargs.items() if name not in _UNRELATED}
    headers = kwargs.pop("extra_headers", None)
    if isinstance(headers, Mapping):
        headers = {name.lower(): value for name, value in headers.items() if not _UNRELATED_HEADERS.search(name)}
    names = (provider.name, provider.api, provider.dialect.name, call.plan.model)
    request = [_FORMAT, *names, _server(call), headers or None, kwargs]
    try:
        text = to_json(request, bytes_mode="base64", fallback=_name_of)
    except PydanticSerializationError as error:
        raise TypeError(f"the call cannot be cached: {error}; {call.where}") from None
    return hashlib.sha256(text).hexdigest()


def _server(call: Call) -> Any:
    """Return what identifies the server: the URL of a client, or the variables of the default client without keys."""
    clients = call.provider.clients
    if call.client is not None:
        return str(clients.url(call.client) or "")
    secrets = set(key_variables(clients))
    return [os.environ.get(name) for name in clients.environment if name not in secrets]


def _name_of(value: object) -> str:
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"an argument contains {shortened(value)}")
