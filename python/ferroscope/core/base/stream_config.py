"""How a stream is to be streamed."""

from __future__ import annotations

from typing import Literal, TypeAlias

from typing_extensions import TypedDict

Every: TypeAlias = Literal["delta", "change", "field"]


class StreamConfig(TypedDict, total=False):
    """Turns streaming on and sets it up.

    - `partial_tools`: tools are also given while they are being written.
    - `every`: when a structured stream gives an instance: after every piece of text (`"delta"`, the default), only
      when it changed (`"change"`), or only when another of its fields is complete (`"field"`).
    """

    partial_tools: bool
    every: Every
