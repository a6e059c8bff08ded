"""Upload of large media through the Files API, because the Gemini API limits the size of a request.

https://ai.google.dev/gemini-api/docs/files
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import Any, Final
from weakref import WeakKeyDictionary

from ..._engine.drive import Flow, adrive, drive

# Any: the SDK's contents and files.

# The limit of v1. The API accepts requests of 20 MB, in which base64 adds a third to the size of media.
INLINE_BYTES: Final = 10_000_000
_POLL_SECONDS: Final = 1.0
# Google keeps a file for 48 hours.
_REFERENCE_SECONDS: Final = 47 * 3600

# For each client: the references to uploaded files by digest of their bytes, and the time at which they expire.
_uploaded: WeakKeyDictionary[Any, dict[bytes, tuple[float, dict[str, Any]]]] = WeakKeyDictionary()


def needs_upload(client: Any, contents: Sequence[Any]) -> bool:
    """Return whether the media in contents are too large for a request. Vertex AI has no Files API."""
    return sum(map(len, _media(contents))) > INLINE_BYTES and not getattr(client, "vertexai", False)


def upload(client: Any, contents: Sequence[Any]) -> Sequence[Any]:
    """Upload the media in contents, and return the contents with references to the files.

    Raises:
        ValueError: The API cannot process a file.
    """
    uploaded: Sequence[Any] = drive(_steps(client, client.files, time.sleep, contents, _call))
    return uploaded


async def aupload(client: Any, contents: Sequence[Any]) -> Sequence[Any]:
    """Upload the media in contents without blocking the event loop, and return the contents with references.

    Raises:
        ValueError: The API cannot process a file.
    """
    files = client.aio.files if hasattr(client, "aio") else client.files
    # The digest of a large file would hold up the loop.
    uploaded: Sequence[Any] = await adrive(_steps(client, files, asyncio.sleep, contents, asyncio.to_thread))
    return uploaded


def _steps(
    client: Any, files: Any, sleep: Callable[[float], Any], contents: Sequence[Any], compute: Callable[..., Any]
) -> Flow:
    known = _uploaded.setdefault(client, {})
    changed: list[Any] = []
    for content in contents:
        parts: list[Any] = []
        for part in _parts(content):
            data = _bytes_of(part)
            if data:
                digest = yield partial(compute, _digest, data)
                expires, reference = known.get(digest, (0.0, {}))
                if expires < time.monotonic():
                    file = yield from _upload(files, sleep, data, part["inline_data"].get("mime_type"))
                    reference = {"file_uri": file.uri, "mime_type": file.mime_type}
                    known[digest] = time.monotonic() + _REFERENCE_SECONDS, reference
                part = {**{name: one for name, one in part.items() if name != "inline_data"}, "file_data": reference}
            parts.append(part)
        changed.append({**content, "parts": parts} if parts else content)
    return changed


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _call(function: Callable[[bytes], bytes], data: bytes) -> bytes:
    return function(data)


def _upload(files: Any, sleep: Callable[[float], Any], data: bytes, media_type: str | None) -> Flow:
    file = yield partial(files.upload, file=BytesIO(data), config={"mime_type": media_type})
    while (state := getattr(file.state, "value", file.state)) == "PROCESSING":
        yield partial(sleep, _POLL_SECONDS)
        file = yield partial(files.get, name=file.name)
    if state == "FAILED":
        raise ValueError(f"Google could not process the uploaded file {file.name!r} ({media_type}): {file.error}")
    return file


def _media(contents: Sequence[Any]) -> list[bytes]:
    return [data for content in contents for part in _parts(content) if (data := _bytes_of(part))]


def _parts(content: Any) -> list[Any]:
    """Return the parts of a content; an empty list for an object that the program created itself."""
    parts = content.get("parts") if isinstance(content, Mapping) else None
    return parts if isinstance(parts, list) else []


def _bytes_of(part: Any) -> bytes:
    blob = part.get("inline_data") if isinstance(part, Mapping) else None
    data = blob.get("data") if isinstance(blob, Mapping) else None
    return data if isinstance(data, bytes) else b""
