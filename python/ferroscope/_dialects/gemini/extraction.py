"""Structured answers in Gemini's format: the request parameters, and the place of the answer.

https://ai.google.dev/gemini-api/docs/structured-output
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from ...core.base.tool import GenerateJsonSchemaNoTitles
from ..json_prompt import json_prompt
from .finish_reasons import are_runnable, finish_reasons
from .messages import WireMessage, pieces_of
from .parameters import add_tools, ask_for_json, force_function

if TYPE_CHECKING:
    from ..._engine.extraction import Extraction

# Any: the configuration as the SDK accepts it, and its response.


def render_extraction(kwargs: dict[str, Any], config: dict[str, Any], extraction: Extraction) -> None:
    """Change the keyword arguments and the configuration of a request so that it asks for a structured answer."""
    if extraction.mode == "tool":
        tool: Any = extraction.tool
        add_tools(config, [tool.wire_schema()])
        force_function(config, tool._name())
    elif _has_tools(config):
        render_json_mode(kwargs, config, extraction.tool)
    elif any(name in config for name in ("response_schema", "response_json_schema")):
        ask_for_json(config, None)  # the caller's own schema
    else:
        ask_for_json(config, _schema(extraction.tool))


def render_json_mode(kwargs: dict[str, Any], config: dict[str, Any], tool: Any) -> None:
    """Change the keyword arguments and the configuration so that they ask for JSON. A schema goes into the prompt."""
    # The API refuses JSON mode in a request with functions.
    if not _has_tools(config):
        ask_for_json(config, None)
    kwargs["contents"] = _with_text(kwargs["contents"], json_prompt(tool))


def _has_tools(config: Mapping[str, Any]) -> bool:
    return bool(config.get("tools"))


def _with_text(contents: Sequence[WireMessage], text: str) -> list[WireMessage]:
    """Return a copy of the contents with a text at the end of the last one."""
    *before, last = contents or [{"role": "user", "parts": []}]
    role = last.get("role") if isinstance(last, Mapping) else getattr(last, "role", None)
    if role == "model":
        return [*contents, {"role": "user", "parts": [{"text": text}]}]
    return [*before, {"role": role or "user", "parts": [*pieces_of(last), {"text": text}]}]


@lru_cache  # bounded, so that programs that create models at run time do not fill the memory
def _schema(tool: Any) -> dict[str, Any]:
    schema: dict[str, Any] = tool.model_json_schema(schema_generator=GenerateJsonSchemaNoTitles)
    return schema


def may_force_tool(params: Mapping[str, Any]) -> bool:
    """Return whether a request with these parameters may force a function call.

    If the configuration has tools of its own, the model must be free to use them. With a cached content, a request may
    not offer functions.
    """
    config = params.get("config")
    given = config if isinstance(config, Mapping) else vars(config) if config is not None else {}
    every = {**params, **given}
    return not any(every.get(name) for name in ("tools", "cached_content", "cachedContent"))


def answer_text(response: Any, mode: Literal["tool", "json"]) -> str:
    """Return the JSON text of a structured answer. An answer in the other mode is accepted too.

    Raises:
        ValueError: The model refused, the prompt was blocked, or there is no answer.
    """
    reasons = finish_reasons(response)
    candidate = response.candidates[0] if response.candidates else None
    parts = (candidate.content.parts or ()) if candidate is not None and candidate.content is not None else ()
    text = "".join(part.text or "" for part in parts if not part.thought)
    if not are_runnable(reasons):
        raise ValueError(text or _failure_text(response, candidate, reasons[0]))
    called = next((json.dumps(part.function_call.args or {}) for part in parts if part.function_call), "")
    if found := (called or text) if mode == "tool" else (text or called):
        return found
    raise ValueError("No tool call or JSON object found in response.")


def _failure_text(response: Any, candidate: Any, reason: str) -> str:
    if candidate is None:
        message = getattr(response.prompt_feedback, "block_reason_message", None)
        return f"the prompt was blocked: {reason}" + (f" ({message})" if message else "")
    message = candidate.finish_message
    return f"the answer ended with the finish reason {reason}" + (f": {message}" if message else "")
