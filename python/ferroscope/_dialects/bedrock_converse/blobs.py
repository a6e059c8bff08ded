"""Blobs of the Converse format: bytes in AWS's SDKs, base64 text in the JSON of a stream or a body."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic_core import from_json

# Any: JSON of the API, or the dicts of AWS's SDKs.

_BLOBS: Final = frozenset({"bytes", "redactedContent"})
# Members whose values are JSON of the caller or the model.
_FREE: Final = frozenset({"input", "json", "inputSchema", "additionalModelResponseFields"})
# The member with the random text with which the service pads its events.
_PADDING: Final = "p"


def with_bytes(value: Any, name: str = "") -> Any:
    """Return a copy of a JSON value with its blobs as bytes, as AWS's SDKs accept and return them."""
    match value:
        case Mapping() if name not in _FREE:
            return {member: with_bytes(one, member) for member, one in value.items()}
        case list() | tuple() if name not in _FREE:
            return [with_bytes(one, name) for one in value]
        case str() if name in _BLOBS:
            try:
                return base64.b64decode(value, validate=True)
            except binascii.Error:  # the SDK's error will name it
                return value
        case _:
            return value


def read_response(data: bytes) -> dict[str, Any]:
    """Return the response of a body in the form in which AWS's SDKs return it."""
    response: dict[str, Any] = with_bytes(from_json(data))
    return response


def read_event(data: bytes) -> dict[str, Any]:
    """Return an event of a stream in the form in which AWS's SDKs return it."""
    event: dict[str, Any] = from_json(data)
    for payload in event.values():
        if isinstance(payload, dict):
            payload.pop(_PADDING, None)
    return {name: with_bytes(payload) for name, payload in event.items()}


def dump_event(event: Mapping[str, Any]) -> str:
    """Return the JSON text of an event that an SDK returned, with its blobs as base64."""
    return orjson.dumps(event, default=_dump_blob).decode()


def _dump_blob(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError  # orjson adds the message
