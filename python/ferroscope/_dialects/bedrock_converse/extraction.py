"""Structured answers in the Converse format: the request parameters, and the place of the answer.

https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from ..json_prompt import json_prompt
from .parameters import force_tool

if TYPE_CHECKING:
    from ..._engine.extraction import Extraction

# Any: keyword arguments of the SDK, and its response objects.

# Members of `additionalModelRequestFields` with the reasoning settings of models.
_REASONING: Final = ("thinking", "reasoning_config", "reasoningConfig")
_OFF: Final = frozenset({None, "disabled"})
FAILURES: Final = frozenset(
    {"content_filtered", "guardrail_intervened", "malformed_model_output", "malformed_tool_use"}
)
"""Stop reasons after which a tool call is incomplete or malformed."""


def render_extraction(kwargs: dict[str, Any], extraction: Extraction) -> None:
    """Change the keyword arguments of a request so that it asks for a structured answer."""
    if extraction.mode == "tool":
        tool: Any = extraction.tool
        kwargs["toolConfig"] = {**(kwargs.get("toolConfig") or {}), "tools": [tool.wire_schema()]}
        force_tool(kwargs, tool._name())
    else:
        render_json_mode(kwargs, extraction.tool)


def render_json_mode(kwargs: dict[str, Any], tool: Any) -> None:
    """Change the keyword arguments so that they ask for JSON, at the end of the last message."""
    if messages := kwargs["messages"]:
        last = messages[-1]
        content = [*(last.get("content") or ()), {"text": json_prompt(tool)}]
        kwargs["messages"] = [*messages[:-1], {**last, "content": content}]


def may_force_tool(params: Mapping[str, Any]) -> bool:
    """Return whether a request with these parameters may force a tool call.

    The API refuses to force a model that reasons. A forced model could not use the tools among the parameters.
    """
    fields = params.get("additionalModelRequestFields") or {}
    reasons = any((fields.get(name) or {}).get("type") not in _OFF for name in _REASONING)
    return not reasons and not (params.get("toolConfig") or {}).get("tools")


def answer_text(response: Mapping[str, Any], mode: Literal["tool", "json"]) -> str:
    """Return the JSON text of a structured answer. An answer in the other mode is accepted too.

    Raises:
        ValueError: The response was blocked or is malformed, or it has neither a tool call nor text.
    """
    blocks = ((response.get("output") or {}).get("message") or {}).get("content") or ()
    text = "".join(block.get("text") or "" for block in blocks)
    if (reason := response.get("stopReason")) in FAILURES:
        raise ValueError(text or f"The response ended with {reason!r}.")
    called = next((json.dumps(block["toolUse"].get("input")) for block in blocks if block.get("toolUse")), "")
    if found := (called or text) if mode == "tool" else (text or called):
        return found
    raise ValueError("No tool call or JSON object found in response.")
