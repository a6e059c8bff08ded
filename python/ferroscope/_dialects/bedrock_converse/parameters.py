"""The parameters of a request in the Converse format, and its tool descriptions.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from .messages import WireMessage

# Any: parameters as AWS's SDKs accept them, and JSON schemas.

# Common parameters, with their names in `inferenceConfig`.
_COMMON: Final = {"temperature": "temperature", "top_p": "topP", "max_tokens": "maxTokens", "stop": "stopSequences"}
_CONFIG: Final = "inferenceConfig."
# Common parameters that this API does not have.
_UNKNOWN: Final = frozenset({"frequency_penalty", "presence_penalty", "seed"})


def render_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return call parameters with the common ones in `inferenceConfig`, whose own values take precedence."""
    config: dict[str, Any] = dict(params.get("inferenceConfig") or {})
    rest: dict[str, Any] = {}
    for name, value in params.items():
        if value is None or name in _UNKNOWN or name == "inferenceConfig":
            continue
        if (known := _COMMON.get(name)) is None:
            rest[name] = value
        else:
            config.setdefault(known, [value] if name == "stop" and isinstance(value, str) else value)
    return {**rest, "inferenceConfig": config} if config else rest


def flatten_config(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with each member of `inferenceConfig` separate, so that later parameters can replace single
    ones.
    """
    rest = {name: value for name, value in params.items() if name != "inferenceConfig"}
    return {**rest, **{_CONFIG + name: value for name, value in (params.get("inferenceConfig") or {}).items()}}


def nest_config(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with the separate members of `inferenceConfig` nested again."""
    config = {name.removeprefix(_CONFIG): value for name, value in params.items() if name.startswith(_CONFIG)}
    rest = {name: value for name, value in params.items() if not name.startswith(_CONFIG)}
    return {**rest, "inferenceConfig": config} if config else rest


def join_system(given: Sequence[Mapping[str, Any]] | str | None, blocks: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the system prompt of the parameters, followed by that of the messages."""
    before = [{"text": given}] if isinstance(given, str) else given or ()
    return [*before, *blocks]


def declare_tool(name: str, description: str | None, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the specification of a tool.

    Args:
        name: The name of the tool.
        description: The description of the tool.
        schema: The JSON schema of its input, an object.
    """
    described = {"description": description} if description else {}
    return {"toolSpec": {"name": name, **described, "inputSchema": {"json": dict(schema)}}}


def add_tools(kwargs: dict[str, Any], tools: Sequence[Mapping[str, Any]]) -> None:
    """Add tools to those of the parameters."""
    if tools:
        config = kwargs.get("toolConfig") or {}
        kwargs["toolConfig"] = {**config, "tools": [*config.get("tools", ()), *tools]}


def force_tool(kwargs: dict[str, Any], name: str) -> None:
    """Ask for a call of one tool."""
    kwargs["toolConfig"] = {**kwargs.get("toolConfig", {}), "toolChoice": {"tool": {"name": name}}}


def add_tools_of_history(kwargs: dict[str, Any], messages: Iterable[WireMessage]) -> None:
    """Declare the tools of a history in a request without tools.

    The API refuses tool calls in the messages if the request declares no tools. The declarations have no description
    and
    no input members. A call of such a tool raises `UnknownToolError`.
    """
    if (kwargs.get("toolConfig") or {}).get("tools"):
        return
    blocks = [block for message in messages for block in message.get("content") or () if isinstance(block, Mapping)]
    names = [block["toolUse"].get("name") for block in blocks if "toolUse" in block]
    if not names and any("toolResult" in block for block in blocks):
        names = ["unknown_tool"]
    add_tools(kwargs, [declare_tool(name, None, {"type": "object"}) for name in dict.fromkeys(names) if name])
