"""The frames of AWS's binary event stream.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from ferroscope.testing._vocabulary import Failure

__all__ = ["CONTENT_TYPE", "error_frame", "frame", "raw_frame", "split_frames"]

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_EXCEPTIONS = {400: "validationException", 429: "throttlingException", 503: "serviceUnavailableException"}


def frame(message_type: str, name: str, payload: Mapping[str, Any]) -> bytes:
    """Return one frame (`event` or `exception`) with a JSON payload."""
    headers = {
        ":message-type": message_type,
        f":{message_type}-type": name,
        ":content-type": "application/json",
    }
    return raw_frame(headers, json.dumps(payload).encode())


def error_frame(failure: Failure) -> bytes:
    """Return an `exception` frame, or an `error` frame if the failure has a code: its payload is empty."""
    if failure.code is not None:
        headers = {":message-type": "error", ":error-code": failure.code, ":error-message": failure.message}
        return raw_frame(headers, b"")
    name = failure.type or _EXCEPTIONS.get(failure.status, "modelStreamErrorException")
    return frame("exception", name, {"message": failure.message, **failure.extra})


def raw_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one frame with these string headers, this payload, and both checksums."""
    encoded = b"".join(
        struct.pack(f">B{len(key)}sBH{len(value)}s", len(key), key.encode(), 7, len(value), value.encode())
        for key, value in headers.items()
    )
    prelude = struct.pack(">II", len(encoded) + len(payload) + 16, len(encoded))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + encoded + payload
    return message + struct.pack(">I", zlib.crc32(message))


def split_frames(recording: bytes) -> Iterator[bytes]:
    """Yield the frames of a recording. What is too short for its announced length comes last."""
    start = 0
    while start < len(recording):
        length = struct.unpack_from(">I", recording, start)[0] if len(recording) - start >= 4 else 4
        yield recording[start : start + length]
        start += max(length, 4)
