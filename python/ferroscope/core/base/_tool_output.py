"""What a tool returned, as the text that goes back to the model."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from .types import JsonableType

_ResponseTypeT = TypeVar("_ResponseTypeT")
_ToolT = TypeVar("_ToolT")
_MessageT = TypeVar("_MessageT")


def tool_output_text(output: JsonableType | None) -> str:
    """Returns a tool's output as text.

    Text stays as it is, bytes become base64, a pydantic model its JSON; everything else becomes JSON.

    Raises:
        TypeError: The output, or something in it, has no such form.

    Example:
        ```python
        tool_output_text({"isbn": 12345, "tags": ("new", None)})
        # '{"isbn": 12345, "tags": ["new", null]}'
        ```
    """
    if isinstance(output, BaseModel):
        return output.model_dump_json()
    if isinstance(output, str):
        # An enum that is also a `str` means its value; `str()` of it is its name.
        return str.__str__(output)
    if isinstance(output, bytes):
        return base64.b64encode(output).decode("ascii")
    return json.dumps(_jsonable(output))


def _jsonable(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | set | tuple | frozenset):
        return [_jsonable(item) for item in value]
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    raise TypeError(f"Unsupported type for serialization: {type(value)}")


def transform_tool_outputs(
    fn: Callable[[type[_ResponseTypeT], Sequence[tuple[_ToolT, str]]], list[_MessageT]],
) -> Callable[[type[_ResponseTypeT], Sequence[tuple[_ToolT, JsonableType | None]]], list[_MessageT]]:
    """Decorates a `tool_message_params` that wants text, so that it takes every kind of tool output."""

    @wraps(fn)
    def with_text(
        cls: type[_ResponseTypeT], tools_and_outputs: Sequence[tuple[_ToolT, JsonableType | None]]
    ) -> list[_MessageT]:
        return fn(cls, [(tool, tool_output_text(output)) for tool, output in tools_and_outputs])

    return with_text
