"""The parameters of a request: those for `GenerateContentConfig`, and options of the SDK.

https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

# Any: the configuration as the SDK accepts it.

# Common parameters, with their names in the configuration.
_COMMON: Final = {
    "max_tokens": "max_output_tokens",
    "stop": "stop_sequences",
}
# Common parameters that v1 does not send: newer models refuse the penalties.
_UNKNOWN: Final = frozenset({"frequency_penalty", "presence_penalty", "seed"})
# Options of the HTTP request, under the names of other SDKs.
HTTP_OPTIONS: Final = frozenset({"timeout", "extra_headers", "extra_body"})
_UPPER: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")


def select_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return call parameters without those that are None or that Gemini does not have."""
    return {name: value for name, value in params.items() if value is not None and name not in _UNKNOWN}


def render_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return call parameters with those of the configuration moved into `config`, whose own values take precedence.

    The parameters of the retired SDKs are accepted too: `generation_config`, `request_options`, and `safety_settings`
    as a mapping.
    """
    params = select_params(params)
    config = config_dict(params.pop("config", None))
    options = {name: params.pop(name) for name in HTTP_OPTIONS & params.keys()}
    if isinstance(request_options := params.pop("request_options", None), Mapping):
        options = {**{name: value for name, value in request_options.items() if name == "timeout"}, **options}
    for name, value in config_dict(params.pop("generation_config", None)).items():
        config.setdefault(name, value)
    for name, value in params.items():
        if name == "stop" and isinstance(value, str):
            value = [value]
        elif name == "safety_settings" and isinstance(value, Mapping):
            value = [{"category": category, "threshold": threshold} for category, threshold in value.items()]
        config.setdefault(_COMMON.get(name, name), value)
    return {**options, "config": config} if config else options


def config_dict(config: BaseModel | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a configuration as a new dict, under the names of the SDK's dicts."""
    if config is None:
        return {}
    if isinstance(config, BaseModel):
        # `model_dump` would convert functions, models and clients in the configuration too.
        members = {name: getattr(config, name) for name in type(config).model_fields}
    else:
        members = {_UPPER.sub(r"_\1", name).lower(): value for name, value in config.items()}
    return {name: value for name, value in members.items() if value is not None}


def http_options(given: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the SDK's options of the HTTP request.

    Args:
        given: `http_options` of the configuration.
        options: The options under the names of other SDKs; a timeout in seconds.
    """
    found = config_dict(given)
    timeout = options.get("timeout")
    if timeout is not None:
        found["timeout"] = int(getattr(timeout, "read", timeout) * 1000)
    for name, own in (("headers", "extra_headers"), ("extra_body", "extra_body")):
        if options.get(own):
            found[name] = {**(found.get(name) or {}), **options[own]}
    return found


def add_tools(config: dict[str, Any], declarations: Sequence[Mapping[str, Any]]) -> None:
    """Add functions to the tools of the configuration, and stop the SDK from calling them automatically."""
    if declarations:
        config["tools"] = [*(config.get("tools") or ()), {"function_declarations": list(declarations)}]
    config["automatic_function_calling"] = {"disable": True}


def force_function(config: dict[str, Any], name: str) -> None:
    """Ask for a call of one function."""
    given = config.get("tool_config")
    others = given.model_dump(exclude_none=True) if isinstance(given, BaseModel) else dict(given or {})
    config["tool_config"] = {**others, "function_calling_config": {"mode": "ANY", "allowed_function_names": [name]}}


def ask_for_json(config: dict[str, Any], schema: Mapping[str, Any] | None) -> None:
    """Ask for an answer in JSON, with a schema if one is given."""
    config["response_mime_type"] = "application/json"
    if schema is not None:
        config["response_json_schema"] = dict(schema)
