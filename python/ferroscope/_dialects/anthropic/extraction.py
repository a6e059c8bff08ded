"""Structured answers in the Messages format: the request parameters, and the place of the answer.

https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from ..json_prompt import json_prompt
from .messages import with_text

if TYPE_CHECKING:
    from ..._engine.extraction import Extraction

# Any: keyword arguments of the SDK, and its response objects.


def render_extraction(kwargs: dict[str, Any], extraction: Extraction) -> None:
    """Change the keyword arguments of a request so that it asks for a structured answer."""
    if extraction.mode == "tool":
        tool: Any = extraction.tool
        kwargs["tools"] = [tool.wire_schema()]
        kwargs["tool_choice"] = {"type": "tool", "name": tool._name()}
    else:
        render_json_mode(kwargs, extraction.tool)


def render_json_mode(kwargs: dict[str, Any], tool: Any) -> None:
    """Change the keyword arguments so that they ask for JSON, at the end of the last message."""
    if messages := kwargs["messages"]:
        kwargs["messages"] = [*messages[:-1], with_text(messages[-1], f"\n\n{json_prompt(tool)}")]


def may_force_tool(params: Any) -> bool:
    """Return whether a request with these parameters may force a tool call.

    The API refuses to force a model that thinks. A forced model could not use the tools among the parameters.
    """
    thinking = params.get("thinking")
    return not params.get("tools") and (not thinking or thinking.get("type") == "disabled")


def answer_text(response: Any, mode: Literal["tool", "json"]) -> str:
    """Return the JSON text of a structured answer. An answer in the other mode is accepted too.

    Raises:
        ValueError: The model refused, or the response has neither a tool call nor text.
    """
    blocks = response.content or ()
    text = "".join(block.text or "" for block in blocks if block.type == "text")
    if response.stop_reason == "refusal":
        raise ValueError(text or "The model refused to answer.")
    called = next((json.dumps(block.input) for block in blocks if block.type == "tool_use"), "")
    if found := (called or text) if mode == "tool" else (text or called):
        return found
    raise ValueError("No tool call or JSON object found in response.")
