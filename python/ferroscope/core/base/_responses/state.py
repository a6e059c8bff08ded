"""The conversion of responses to pickles and JSON, and the restoration from pickles.

A provider's tool class is created at run time, so pickle cannot find it by name; its source is pickled instead. Clients
and keys are left out. Values that are computed from the SDK's object are computed again.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from .._tools.tool_type import provider_tool_type, tool_source
from .secrets import SECRET_FIELDS, redact_secrets

if TYPE_CHECKING:
    from ..tool import BaseTool

# Attributes that are computed from the response on first access, and cached.
_RECOMPUTED = frozenset({"_token_counts", "_total_cost", "cost", "cost_details", "message_param", "tool", "tools"})


def picklable_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a response that can be pickled."""
    portable = {name: value for name, value in values.items() if name not in _RECOMPUTED}
    portable |= {name: _without_credentials(value) for name, value in portable.items() if name in SECRET_FIELDS}
    tools = portable.get("tool_types")
    if tools:
        portable["tool_types"] = [source for source in map(_picklable_tool, tools) if source is not None]
    return portable


def json_value(name: str, value: Any, write: Callable[[Any], Any]) -> Any:
    """Return a value of a response in its JSON form."""
    if name in SECRET_FIELDS:
        value = _without_credentials(value)
    try:
        return serialized_value(value, write)
    except PydanticSerializationError:
        return to_jsonable_python(value, bytes_mode="base64", fallback=_json_form)


def serialized_value(value: Any, write: Callable[[Any], Any]) -> Any:
    """Return a value of a response as `write` dumps it.

    Some SDKs build the schema of their models on first validation, but create responses without validation. Pydantic
    can dump such an object alone, but raises TypeError if it is inside another model.
    """
    try:
        return write(value)
    except TypeError:
        if not _build_models(value):
            raise
        return write(value)


def _build_models(value: Any) -> bool:
    """Build the classes of the models in a value, and return whether there was one to build."""
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
    # `sum` instead of `any`, which would stop at the first.
    return sum(map(_build_models, value)) > 0 or built


def _without_credentials(value: Any) -> Any:
    """Return parameters without keys, and without a client, which contains keys."""
    value = redact_secrets(value)
    return {name: inner for name, inner in value.items() if name != "client"} if isinstance(value, dict) else value


def _json_form(value: Any) -> Any:
    """Return a mapping as a dict, and any other value as the name of its type or of itself."""
    if isinstance(value, Mapping):
        return dict(value)
    # Never use `repr`: the one of a client may contain its key.
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"<{named.__module__}.{named.__qualname__}>"


def restored_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a response, restored from a pickle."""
    restored = dict(values)
    if restored.get("tool_types"):
        restored["tool_types"] = [_restored_tool(*source) for source in restored["tool_types"]]
    return restored


def _picklable_tool(tool: type[BaseTool]) -> tuple[object, type[BaseTool] | None] | None:
    source: tuple[object, type[BaseTool] | None] = tool_source(tool) or (tool, None)
    try:
        pickle.dumps(source)
    except (pickle.PicklingError, AttributeError, TypeError):
        # For example, a function inside a function: leave the tool out, so that the response can be pickled.
        return None
    return source


def _restored_tool(tool: Any, base: type[BaseTool] | None) -> type[BaseTool]:
    made: type[BaseTool] = tool if base is None else provider_tool_type(tool, base)
    return made
