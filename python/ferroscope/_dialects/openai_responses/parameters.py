"""The call parameters of the Responses API, and their names in chat completions.

https://platform.openai.com/docs/guides/migrate-to-responses
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

# Any: JSON from the caller.
Params = dict[str, Any]

RESPONSES_ONLY: Final = frozenset(
    {
        "background",
        "background_options",
        "context_management",
        "conversation",
        "include",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "previous_response_id",
        "prompt",
        "reasoning",
        "text",
        "truncation",
    }
)
"""The parameters that chat completions do not have."""

# The SDK's markers for an omitted parameter.
_MARKS: Final = frozenset({"NotGiven", "Omit"})
# Common parameters that this API does not have.
_UNKNOWN: Final = frozenset({"frequency_penalty", "presence_penalty", "seed", "stop"})


def has_responses_only(params: Mapping[str, Any]) -> bool:
    """Return whether parameters ask for a feature that chat completions lack."""
    if not RESPONSES_ONLY.isdisjoint(params) and any(params.get(name) is not None for name in RESPONSES_ONLY):
        return True
    return any(_is_hosted(tool) for tool in params.get("tools") or ())


def _is_hosted(tool: Any) -> bool:
    """Return whether a tool is hosted by the API. Chat completions have only functions and custom tools."""
    return isinstance(tool, Mapping) and tool.get("type") not in (None, "function", "custom")


def render_params(params: Mapping[str, Any]) -> Params:
    """Return call parameters under their names in this API; those that are None are left out.

    As for every provider, common parameters that the API does not have are left out.
    """
    rendered: Params = {}
    for name, value in params.items():
        if value is None or name in _UNKNOWN or type(value).__name__ in _MARKS:
            continue
        if rename := _RENAMED.get(name):
            rename(rendered, value)
        else:
            rendered[name] = _merged(rendered.get(name), value)
    return rendered


def _merged(known: Any, value: Any) -> Any:
    """Return the combined members of a parameter that is set under two names (`reasoning_effort` and `reasoning`)."""
    return {**known, **value} if isinstance(known, Mapping) and isinstance(value, Mapping) else value


def _set(name: str, member: str = "") -> Callable[[Params, Any], None]:
    """Return a function that sets a parameter, or one member of it."""

    def put(params: Params, value: Any) -> None:
        params[name] = {**(params.get(name) or {}), member: value} if member else value

    return put


def _response_format(params: Params, value: Any) -> None:
    format: Any = dict(value)
    if format.get("type") == "json_schema":
        format = {"type": "json_schema", **(format.get("json_schema") or {})}
    _set("text", "format")(params, format)


def _tool_choice(params: Params, value: Any) -> None:
    function = value.get("function") if isinstance(value, Mapping) else None
    params["tool_choice"] = {"type": "function", **function} if isinstance(function, Mapping) else value


def _tools(params: Params, value: Any) -> None:
    params["tools"] = [*(params.get("tools") or ()), *map(_flat, value)]


def _flat(tool: Any) -> Any:
    """Return a tool with the members of its function at the top level, as this API requires."""
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return {"type": "function", "strict": False, **function} if isinstance(function, Mapping) else tool


def _logprobs(params: Params, value: Any) -> None:
    if value:
        params["include"] = [*(params.get("include") or ()), "message.output_text.logprobs"]


def _include(params: Params, value: Any) -> None:
    params["include"] = list(dict.fromkeys([*(params.get("include") or ()), *value]))


def _web_search(params: Params, value: Any) -> None:
    _tools(params, [{"type": "web_search", **value}])


def _stream_options(params: Params, value: Any) -> None:
    # Usage always arrives with the last event.
    if options := {name: option for name, option in value.items() if name != "include_usage"}:
        params["stream_options"] = options


_RENAMED: Final[Mapping[str, Callable[[Params, Any], None]]] = {
    "include": _include,
    "logprobs": _logprobs,
    "max_completion_tokens": _set("max_output_tokens"),
    "max_tokens": _set("max_output_tokens"),
    "reasoning_effort": _set("reasoning", "effort"),
    "response_format": _response_format,
    "stream_options": _stream_options,
    "tool_choice": _tool_choice,
    "tools": _tools,
    "verbosity": _set("text", "verbosity"),
    "web_search_options": _web_search,
}
