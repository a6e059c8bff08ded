"""How a stream is to be streamed."""

from __future__ import annotations

from typing_extensions import TypedDict


class StreamConfig(TypedDict):
    """Turns streaming on and sets it up: with `partial_tools`, tools are handed out while they grow."""

    partial_tools: bool
