"""The conversion of a tool's output to the text that is sent to the model."""

from __future__ import annotations

import base64
import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import wraps
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from .._suggestions import function_name, shortened

_ResponseTypeT = TypeVar("_ResponseTypeT")
_ToolT = TypeVar("_ToolT")
_MessageT = TypeVar("_MessageT")


def tool_output_text(output: object) -> str:
    """Return a tool's output as text.

    Text stays unchanged and bytes become base64. Every other output becomes JSON, as pydantic writes it: dates,
    decimals, UUIDs, enums, dataclasses, paths and models included, also inside containers and as keys.

    Raises:
        TypeError: The output, or a value inside it, has no JSON form.

    Example:
        ```python
        tool_output_text({"isbn": 12345, "tags": ("new", None)})
        # '{"isbn": 12345, "tags": ["new", null]}'
        ```
    """
    if isinstance(output, BaseModel):
        return output.model_dump_json()
    if isinstance(output, str):
        # For an enum that is also a `str`, `str()` returns its name instead of its value.
        return str.__str__(output)
    if isinstance(output, _BINARY):
        return _base64(output)
    return json.dumps(_jsonable(output))


_BINARY: Final = (bytes, bytearray, memoryview)


def _base64(data: bytes | bytearray | memoryview) -> str:
    # The standard alphabet: pydantic's own base64 is the URL-safe one.
    return base64.b64encode(data).decode("ascii")


def _jsonable(value: object) -> object:
    if isinstance(value, float):
        # JSON has no NaN or infinity.
        return value if math.isfinite(value) else None
    if isinstance(value, Enum):
        return _jsonable(value.value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, _BINARY):
        return _base64(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {_key(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, Sequence | Set):
        return [_jsonable(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type) and not hasattr(value, "__pydantic_serializer__"):
        return {field.name: _jsonable(getattr(value, field.name)) for field in fields(value)}
    return _as_pydantic(value)


def _key(key: object) -> object:
    if isinstance(key, Enum):
        return _key(key.value)
    if key is None or isinstance(key, str | int | float):
        return key
    try:
        return next(iter(to_jsonable_python({key: None})))
    except PydanticSerializationError:
        return _as_pydantic(key)


def _as_pydantic(value: object) -> Any:  # Any: the result of pydantic's conversion
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError as error:
        # Some types, such as pure paths and secrets, can only be converted through their schema.
        try:
            return TypeAdapter(type(value)).dump_python(value, mode="json")
        except (PydanticSchemaGenerationError, PydanticSerializationError):
            raise TypeError(f"Unsupported type for serialization: {type(value)}") from error


def outputs_as_text(tools_and_outputs: Iterable[tuple[_ToolT, object]]) -> Iterator[tuple[_ToolT, str]]:
    """Yield pairs of a tool and its output as text.

    Raises:
        TypeError: There is something else than pairs, a tool is None, or an output has no JSON form, such as the
            coroutine of an async tool that was not awaited.
    """
    for pair in tools_and_outputs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(
                "tool_message_params() takes a list of pairs of a tool and its output, such as "
                f"`[(tool, tool.call())]`; one item of it is {shortened(pair)}"
            )
        tool, output = pair
        if tool is None:
            raise TypeError(
                "tool_message_params() got None in place of a tool: the model called none; check `response.tool`"
            )
        if hasattr(output, "tool_schema") and not hasattr(tool, "tool_schema"):
            raise TypeError(
                "tool_message_params() takes pairs of a tool and its output, in this order, such as "
                f"`(tool, tool.call())`; it got {shortened(tool)} in place of a tool"
            )
        if inspect.isawaitable(output):
            if inspect.iscoroutine(output):
                output.close()
            raise TypeError(f"the output of the tool `{_name(tool)}` is a coroutine: write `await tool.call()`")
        try:
            text = tool_output_text(output)
        except TypeError as error:
            error.add_note(f"in the output of the tool `{_name(tool)}`")
            raise
        yield tool, text


def _name(tool: Any) -> str:  # Any: a tool of any provider
    return tool._name() if hasattr(tool, "_name") else function_name(tool)


def transform_tool_outputs(
    fn: Callable[[type[_ResponseTypeT], Sequence[tuple[_ToolT, str]]], list[_MessageT]],
) -> Callable[[type[_ResponseTypeT], Sequence[tuple[_ToolT, object]]], list[_MessageT]]:
    """Decorate a `tool_message_params` that accepts text outputs, so that it accepts outputs of every type."""

    @wraps(fn)
    def with_text(cls: type[_ResponseTypeT], tools_and_outputs: Sequence[tuple[_ToolT, object]]) -> list[_MessageT]:
        return fn(cls, list(outputs_as_text(tools_and_outputs)))

    return with_text
