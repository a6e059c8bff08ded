"""What of a response goes into a pickle, and what is made again from it.

A provider's tool class is made at run time and has no name to be found by; what it was made of has. A client is a
connection and not data, and keys stay where they are. What is read from the SDK's object is read again.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._secrets import WITH_SECRETS, without_secrets
from ._tool_type import provider_tool_type, tool_source

if TYPE_CHECKING:
    from .tool import BaseTool

# Read from the response when they are asked for, and kept then.
_READ_AGAIN = frozenset({"cost_details", "message_param", "tool", "tools"})


def portable_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a response, as they can be pickled."""
    portable = {name: value for name, value in values.items() if name not in _READ_AGAIN}
    portable |= {name: without_secrets(value) for name, value in portable.items() if name in WITH_SECRETS}
    config = portable.get("dynamic_config")
    if isinstance(config, dict) and "client" in config:
        portable["dynamic_config"] = {name: value for name, value in config.items() if name != "client"}
    tools = portable.get("tool_types")
    if tools:
        portable["tool_types"] = [source for source in map(_portable_tool, tools) if source is not None]
    return portable


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
