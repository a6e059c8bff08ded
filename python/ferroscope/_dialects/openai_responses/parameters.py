"""The call parameters of the Responses API, and what the parameters of chat completions are called there.

https://platform.openai.com/docs/guides/migrate-to-responses
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

# Any: JSON of the caller's.
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

# The SDK's marks for a parameter that is left out.
_MARKS: Final = frozenset({"NotGiven", "Omit"})
# Parameters that all providers share and this API does not have.
_UNKNOWN: Final = frozenset({"frequency_penalty", "presence_penalty", "seed", "stop"})


def has_responses_only(params: Mapping[str, Any]) -> bool:
    """Whether parameters ask for something that chat completions do not have."""
    if any(params.get(name) is not None for name in RESPONSES_ONLY):
        return True
    return any(_is_hosted(tool) for tool in params.get("tools") or ())


def _is_hosted(tool: Any) -> bool:
    """Whether a tool is one of the API's own: in chat completions there are functions and custom tools."""
    return isinstance(tool, Mapping) and tool.get("type") not in (None, "function", "custom")


def render_params(params: Mapping[str, Any]) -> Params:
    """Return call parameters under their names in this API; those that are None are left out.

    Common parameters that the API does not have are left out too, as for every provider.
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
    """Return a parameter that is set in two ways (`reasoning_effort` and `reasoning`): its members side by side."""
    return {**known, **value} if isinstance(known, Mapping) and isinstance(value, Mapping) else value


def _set(name: str, member: str = "") -> Callable[[Params, Any], None]:
    """Return what sets a parameter, or one member of it."""

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
    """Return a tool with the members of its function at the top, as this API has them."""
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
    # Usage always comes with the last event.
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
