"""Explanations of values that are not tools, for the functions that take tools."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping

from pydantic import BaseModel

from .._suggestions import function_name, shortened

_KINDS = "a tool is a function, a class that extends `BaseTool`, or a pydantic model"


def explain_no_tool(tool: object) -> str | None:
    """Return why a value cannot be a tool, and what to write instead; None for what may be one.

    A coroutine is closed: the program has no more use for it.
    """
    if _has_create_tools(tool):
        kind = tool if isinstance(tool, type) else type(tool)
        if isinstance(tool, type):
            return f"the toolkit class `{kind.__name__}`: write `*{kind.__name__}(...).create_tools()`"
        return f"an instance of the toolkit `{kind.__name__}`: write `*kit.create_tools()`, where `kit` is the instance"
    if inspect.ismethod(tool) and tool.__name__ == "create_tools" and _has_create_tools(tool.__self__):
        return "the method `create_tools` of a toolkit: write `*kit.create_tools()`, with parentheses"
    if isinstance(tool, type):
        if not issubclass(tool, BaseModel):
            return f"the class `{tool.__name__}`: {_KINDS}"
        return _why_incomplete(tool)
    if inspect.iscoroutine(tool):
        name = tool.__name__
        tool.close()
        return f"the coroutine of a call of `{name}`: write `{name}` without parentheses"
    if isinstance(tool, BaseModel) and not callable(tool):
        name = type(tool).__name__
        return f"an instance of `{name}`: write the class `{name}`, without parentheses"
    if isinstance(tool, list | tuple):
        return f"a {type(tool).__name__} of tools inside the list: write `*` in front of it"
    if isinstance(tool, Mapping):
        return (
            f"the dict {shortened(tool)}: {_KINDS}; tools of the provider itself go into "
            '`call_params={"tools": [...]}`'
        )
    if not callable(tool):
        return (
            f"{shortened(tool)}: {_KINDS}; if a function returned this value, write the name of the function "
            "without parentheses"
        )
    return None


def explain_no_tools(tools: object) -> str | None:
    """Return why a value is not a list of tools, and what to write instead; None for a list or its like."""
    if isinstance(tools, BaseModel) and _has_create_tools(tools):
        return f"an instance of the toolkit `{type(tools).__name__}`: write `tools=[*kit.create_tools()]`"
    if isinstance(tools, type) or inspect.isroutine(tools):
        name = getattr(tools, "__name__", "tool")
        return f"`{name}` alone: write `tools=[{name}]`"
    if isinstance(tools, str | bytes | Mapping | BaseModel) or not isinstance(tools, Iterable):
        return f"{shortened(tools)}: write a list, `tools=[...]`"
    return None


def reject_no_tool(tool: object) -> None:
    """Refuse a value that cannot be a tool.

    Raises:
        TypeError: It cannot; the message names what to write instead.
    """
    if (why := explain_no_tool(tool)) is not None:
        raise TypeError(f"this cannot be a tool: {why}")


def _has_create_tools(tool: object) -> bool:
    # By its members: the module of toolkits imports the module of tools.
    return hasattr(tool if isinstance(tool, type) else type(tool), "_toolkit_tool_methods")


def _why_incomplete(tool: type[BaseModel]) -> str | None:
    if not getattr(getattr(tool, "call", None), "__isabstractmethod__", False):
        return None
    return f"the class `{tool.__name__}`, which has no method `call`: write `def call(self): ...` in it"


def explain_unannotated(fn: Callable[..., object], parameter: str) -> str:
    """Return the error message for a parameter of a tool that has no annotation."""
    return (
        "All parameters must have a type annotation. "
        f"The parameter `{parameter}` of the tool `{function_name(fn)}` has none: write `{parameter}: str`, for example"
    )
