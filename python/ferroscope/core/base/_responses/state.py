"""What of a response goes into a pickle or into JSON, and what is made again from a pickle.

A provider's tool class is made at run time and has no name to be found by; what it was made of has. A client is a
connection and not data, and keys stay where they are. What is read from the SDK's object is read again.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from .._tools.tool_type import provider_tool_type, tool_source
from .secrets import WITH_SECRETS, without_secrets

if TYPE_CHECKING:
    from ..tool import BaseTool

# Read from the response when they are asked for, and kept then.
_READ_AGAIN = frozenset({"_token_counts", "cost_details", "message_param", "tool", "tools"})


def portable_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a response, as they can be pickled."""
    portable = {name: value for name, value in values.items() if name not in _READ_AGAIN}
    portable |= {name: _without_keys(value) for name, value in portable.items() if name in WITH_SECRETS}
    tools = portable.get("tool_types")
    if tools:
        portable["tool_types"] = [source for source in map(_portable_tool, tools) if source is not None]
    return portable


def json_value(name: str, value: Any, write: Callable[[Any], Any]) -> Any:
    """A value of a response, as it goes into JSON."""
    if name in WITH_SECRETS:
        value = _without_keys(value)
    try:
        return dumped_value(value, write)
    except PydanticSerializationError:
        return to_jsonable_python(value, bytes_mode="base64", fallback=_json_form)


def dumped_value(value: Any, write: Callable[[Any], Any]) -> Any:
    """A value of a response, as `write` dumps it.

    Some SDKs defer the building of their models until one is validated, and construct responses without validation.
    Pydantic dumps such an object by itself, but raises a TypeError where it is inside another model.
    """
    try:
        return write(value)
    except TypeError:
        if not _build_models(value):
            raise
        return write(value)


def _build_models(value: Any) -> bool:
    """Build the classes of the models in a value; whether there was one to build."""
    built = False
    if isinstance(value, BaseModel):
        kind = type(value)
        if not kind.__pydantic_complete__:
            kind.model_rebuild()
            built = True
        value = {**value.__dict__, **(value.__pydantic_extra__ or {})}
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return built
    # Every one, not only as many as it takes to find the first.
    return sum(map(_build_models, value)) > 0 or built


def _without_keys(value: Any) -> Any:
    """Parameters without keys, and without the client that has some."""
    value = without_secrets(value)
    return {name: inner for name, inner in value.items() if name != "client"} if isinstance(value, dict) else value


def _json_form(value: Any) -> Any:
    """The models of some SDKs as the mappings that they are; of what has no JSON, such as a tool, the name."""
    if isinstance(value, Mapping):
        return dict(value)
    # Never what it says of itself: a client may tell its key.
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"<{named.__module__}.{named.__qualname__}>"


def restored_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a response, from what was pickled."""
    restored = dict(values)
    if restored.get("tool_types"):
        restored["tool_types"] = [_restored_tool(*source) for source in restored["tool_types"]]
    return restored


def _portable_tool(tool: type[BaseTool]) -> tuple[object, type[BaseTool] | None] | None:
    source: tuple[object, type[BaseTool] | None] = tool_source(tool) or (tool, None)
    try:
        pickle.dumps(source)
    except (pickle.PicklingError, AttributeError, TypeError):
        # Of a function inside a function, say: a response without it is worth more than none.
        return None
    return source


def _restored_tool(tool: Any, base: type[BaseTool] | None) -> type[BaseTool]:
    made: type[BaseTool] = tool if base is None else provider_tool_type(tool, base)
    return made
