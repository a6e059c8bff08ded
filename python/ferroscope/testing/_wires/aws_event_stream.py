"""The frames of AWS's binary event stream.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["CONTENT_TYPE", "GARBAGE", "frame", "raw_frame", "split_frames"]

CONTENT_TYPE = "application/vnd.amazon.eventstream"


def frame(message_type: str, name: str, payload: Mapping[str, Any]) -> bytes:
    """Return one frame (`event` or `exception`) with a JSON payload."""
    headers = {
        ":message-type": message_type,
        f":{message_type}-type": name,
        ":content-type": "application/json",
    }
    return raw_frame(headers, json.dumps(payload).encode())


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


GARBAGE = raw_frame({":message-type": "event", ":event-type": "chunk"}, b'{"bytes": ')
