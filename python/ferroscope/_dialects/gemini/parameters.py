"""The configuration of a request: `GenerateContentConfig` of the call, and what goes into it.

https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

# Any: the configuration as the SDK takes it.

# The parameters that all providers share, by their names in the configuration.
_COMMON: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_output_tokens",
    "stop": "stop_sequences",
}
# Shared parameters that v1 does not send: newer models refuse the penalties.
_UNKNOWN: Final = frozenset({"frequency_penalty", "presence_penalty", "seed"})
_UPPER: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def render_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return call parameters with the shared ones in `config`, where they do not replace what it has."""
    config = config_dict(params.get("config"))
    rest: dict[str, Any] = {}
    for name, value in params.items():
        if name == "config" or value is None or name in _UNKNOWN:
            continue
        if (known := _COMMON.get(name)) is None:
            rest[name] = value
        else:
            config.setdefault(known, [value] if name == "stop" and isinstance(value, str) else value)
    return {**rest, "config": config} if config else rest


def config_dict(config: BaseModel | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a configuration as a dict that may be changed, under the names of the SDK's dicts."""
    if config is None:
        return {}
    if isinstance(config, BaseModel):
        # Not a dump: it may hold functions, models and clients.
        members = {name: getattr(config, name) for name in type(config).model_fields}
    else:
        members = {_UPPER.sub(r"_\1", name).lower(): value for name, value in config.items()}
    return {name: value for name, value in members.items() if value is not None}


def add_tools(config: dict[str, Any], declarations: Sequence[Mapping[str, Any]]) -> None:
    """Offer functions beside the tools that the configuration has, and keep the SDK from calling any itself."""
    if declarations:
        config["tools"] = [*(config.get("tools") or ()), {"function_declarations": list(declarations)}]
    config.setdefault("automatic_function_calling", {"disable": True})


def force_function(config: dict[str, Any], name: str) -> None:
    """Ask for the call of one function."""
    given = config.get("tool_config")
    others = given.model_dump(exclude_none=True) if isinstance(given, BaseModel) else dict(given or {})
    config["tool_config"] = {**others, "function_calling_config": {"mode": "ANY", "allowed_function_names": [name]}}


def ask_for_json(config: dict[str, Any], schema: Mapping[str, Any] | None) -> None:
    """Ask for an answer that is JSON, of a schema if one is given."""
    config["response_mime_type"] = "application/json"
    if schema is not None:
        config["response_json_schema"] = dict(schema)
