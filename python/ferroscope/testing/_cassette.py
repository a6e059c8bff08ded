"""A cassette: real responses with their reads and times, recorded once and replayed."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from ferroscope.testing._exchange import Exchange
from ferroscope.testing._http import SECRET_HEADERS, Piece, Request, Response
from ferroscope.testing._scripts import NO_RETRY
from ferroscope.testing._vocabulary import Failure

__all__ = ["Cassette", "RecordMode"]

RecordMode: TypeAlias = Literal["none", "once", "new", "all"]
"""`none`: replay only. `once`: record if the file does not exist. `new`: record unknown requests. `all`: record all."""

VERSION: Final = 1
TIMEOUT: Final = 300.0  # seconds, for each read of the upstream

_NOT_FORWARDED = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "keep-alive"}
_SECRET_PARAMETERS = {"key", "api_key", "api-key", "access_token"}
_KEPT_HEADERS = ("content-type", "retry-after", "request-id", "x-request-id")
_KEPT_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-")

# The key of an interaction: the provider's path, the method, the path below it with the query, and the body.
_Key: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True)
class _Interaction:
    mount: str
    method: str
    path: str
    request: str
    status: int
    headers: list[tuple[str, str]]
    body: str  # text, or base64 where the body is not UTF-8
    encoding: Literal["utf-8", "base64"]
    reads: list[tuple[float, int]]  # seconds before each read, and its size in bytes
    chunked: bool

    @property
    def key(self) -> _Key:
        return self.mount, self.method, self.path, self.request

    def response(self, timing: bool) -> Response:
        data = base64.b64decode(self.body) if self.encoding == "base64" else self.body.encode()
        pieces = []
        start = 0
        for wait, size in self.reads:
            pieces.append(Piece(data[start : start + size], wait if timing else 0.0))
            start += size
        return Response(tuple(pieces), self.status, tuple(self.headers), chunked=self.chunked)


class Cassette:
    """A file of real responses, as the answer of a `ProviderServer`.

        with ProviderServer(default=Cassette("tests/cassettes/books.json")) as server:
            ...

    While it records, each request goes on to the provider, with the key that the client sent. The file has the sizes
    and the times of the reads of each response. It has no request headers, and no key in addresses and bodies.
    A request is found by its path and its JSON body. Equal requests get their recordings in order, then the last again.

    Args:
        path: The file, as JSON.
        mode: When to record.
        upstream: The base URL of the provider, for recording, such as `https://api.openai.com/v1`. With several
            providers: a mapping from the names of `server.base_url` to their URLs.
        timing: Whether a replayed response has its recorded pauses.

    Raises:
        ValueError: The file is of another version, or the mode is unknown.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        mode: RecordMode = "none",
        upstream: str | Mapping[str, str] | None = None,
        timing: bool = False,
    ) -> None:
        """Read the file, if there is one."""
        if mode not in ("none", "once", "new", "all"):
            raise ValueError(f"mode is {mode!r}: write 'none', 'once', 'new' or 'all'")
        self.path = Path(path)
        self._upstream = upstream
        self._timing = timing
        self._lock = threading.Lock()
        self._played: dict[_Key, int] = {}
        exists = self.path.exists()
        self._interactions = _load(self.path) if exists and mode != "all" else []
        self._records = mode in ("new", "all") or (mode == "once" and not exists)
        self._replays_known = mode != "all"

    def __repr__(self) -> str:
        """Return the file and the number of recordings."""
        return f"Cassette({str(self.path)!r}, {len(self._interactions)} recorded)"

    def respond(self, exchange: Exchange) -> Response:
        """Return the recorded response, or record it. Recording blocks other requests to the server."""
        mount, path = _split(exchange)
        key = (mount, exchange.request.method, path, _canonical(exchange.request))
        with self._lock:
            recorded = self._next(key)
            if recorded is None and self._records:
                try:
                    recorded = self._record(exchange, key)
                except (OSError, http.client.HTTPException) as error:
                    return _failure(exchange, 502, f"{self.path.name}: the provider cannot be reached: {error!r}")
        if recorded is None:
            advice = "record it with mode='new'"
            return _failure(exchange, 501, f"{self.path.name} has no recording of this request: {advice}")
        return recorded.response(self._timing)

    def _next(self, key: _Key) -> _Interaction | None:
        known = [each for each in self._interactions if each.key == key]
        if not known or not self._replays_known:
            return None
        played = self._played.get(key, 0)
        if played >= len(known) and self._records:
            return None
        self._played[key] = played + 1
        return known[min(played, len(known) - 1)]

    def _record(self, exchange: Exchange, key: _Key) -> _Interaction:
        interaction = _forward(exchange.request, self._url_of(exchange), key)
        self._interactions.append(interaction)
        self._played[key] = self._played.get(key, 0) + 1
        _save(self.path, self._interactions)
        return interaction

    def _url_of(self, exchange: Exchange) -> str:
        if isinstance(self._upstream, str):
            return self._upstream
        for name in exchange.wire.mounts:
            if self._upstream and name in self._upstream:
                return self._upstream[name]
        names = " or ".join(map(repr, exchange.wire.mounts))
        raise OSError(f"no upstream for {names}: pass upstream={{...}}")


def _split(exchange: Exchange) -> tuple[str, str]:
    """Return the base path of the request's provider, and the path below it, without keys."""
    request = exchange.request
    mounts = sorted(set(exchange.wire.mounts.values()), key=len, reverse=True)
    mount = next((mount for mount in mounts if request.path.startswith(mount)), "")
    pairs = [pair for pair in parse_qsl(request.query, keep_blank_values=True) if pair[0] not in _SECRET_PARAMETERS]
    return mount, request.path[len(mount) :] + (f"?{urlencode(pairs)}" if pairs else "")


def _canonical(request: Request) -> str:
    try:
        return _redact(json.dumps(json.loads(request.body), sort_keys=True, ensure_ascii=False), request)
    except ValueError:
        return _redact(request.body.decode("utf-8", "replace"), request)


def _secrets(request: Request) -> list[str]:
    values = [value for name, value in request.headers.items() if name in SECRET_HEADERS]
    values += [value for name, value in request.parameters.items() if name in _SECRET_PARAMETERS]
    return [value.rpartition(" ")[2] for value in values if len(value) >= 8]


def _redact(text: str, request: Request) -> str:
    for secret in _secrets(request):
        text = text.replace(secret, "*" * len(secret))
    return text


def _forward(request: Request, base: str, key: _Key) -> _Interaction:
    """Send a request to the provider, and return the whole exchange."""
    url = urlsplit(base)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=TIMEOUT)
    target = request.path[len(key[0]) :] + (f"?{request.query}" if request.query else "")
    headers = {name: value for name, value in request.headers.items() if name not in _NOT_FORWARDED}
    try:
        connection.request(request.method, url.path.rstrip("/") + target, body=request.body, headers=headers)
        begun = time.monotonic()
        response = connection.getresponse()
        data = bytearray()
        reads: list[tuple[float, int]] = []
        while piece := response.read1(1 << 20):
            now = time.monotonic()
            reads.append((round(now - begun, 4), len(piece)))
            data += piece
            begun = now
        if response.length:  # `read1` does not report a body that ends early
            raise http.client.IncompleteRead(bytes(data), response.length)
    finally:
        connection.close()
    body, encoding = _as_text(bytes(data), request)
    kept = [(name.lower(), value) for name, value in response.getheaders() if _is_kept(name.lower())]
    chunked = response.getheader("content-length") is None
    return _Interaction(*key, response.status, kept, body, encoding, reads, chunked)


def _is_kept(header: str) -> bool:
    return header in _KEPT_HEADERS or header.startswith(_KEPT_PREFIXES)


def _as_text(data: bytes, request: Request) -> tuple[str, Literal["utf-8", "base64"]]:
    for secret in _secrets(request):
        data = data.replace(secret.encode(), b"*" * len(secret.encode()))
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(data).decode(), "base64"


def _failure(exchange: Exchange, status: int, message: str) -> Response:
    return exchange.error(Failure(message, status), headers=NO_RETRY)


def _load(path: Path) -> list[_Interaction]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if content.get("version") != VERSION:
        raise ValueError(f"{path} is a cassette of version {content.get('version')!r}, not {VERSION}: record it again")
    return [
        _Interaction(
            **{
                **each,
                "headers": [tuple(pair) for pair in each["headers"]],
                "reads": [tuple(read) for read in each["reads"]],
            }
        )
        for each in content["interactions"]
    ]


def _save(path: Path, interactions: list[_Interaction]) -> None:
    """Write all recordings to a new file, and replace the old one with it.

    So the file is complete JSON at each moment, also after a test run that was killed. The request to the provider
    takes much longer than this.
    """
    content = {"version": VERSION, "interactions": [asdict(each) for each in interactions]}
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.new")
    whole.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    whole.replace(path)
