"""Structured answers of Cohere's v2 chat: the request parameters, and the place of the answer.

https://docs.cohere.com/v2/docs/structured-outputs
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from ...core.base._schemas.strict_schema import strict_schema
from ...core.base.tool import GenerateJsonSchemaNoTitles
from ..json_prompt import json_prompt
from ..sdk_model import member
from .call_response import FAILURES, text_of
from .parameters import ask_for_json, force_function

if TYPE_CHECKING:
    from ..._engine.extraction import Extraction

# Any: keyword arguments of the SDK, and its response objects.


def render_extraction(kwargs: dict[str, Any], extraction: Extraction) -> None:
    """Change the keyword arguments of a request so that it asks for a structured answer."""
    tool: Any = extraction.tool
    if extraction.mode == "tool":
        force_function(kwargs, tool.wire_schema())
    elif extraction.strict and _accepts_format(kwargs):
        ask_for_json(kwargs, _strict_schema(tool))
    else:
        render_json_mode(kwargs, tool)


def render_json_mode(kwargs: dict[str, Any], tool: Any) -> None:
    """Change the keyword arguments so that they ask for JSON. The API requires the schema in the prompt."""
    if _accepts_format(kwargs):
        ask_for_json(kwargs, None)
    kwargs["messages"] = _with_prompt(kwargs["messages"], json_prompt(tool))


def _accepts_format(kwargs: Mapping[str, Any]) -> bool:
    """Return whether the request may have a response format. The API refuses one beside tools or documents."""
    return not kwargs.get("tools") and not kwargs.get("documents")


def _with_prompt(messages: Sequence[Any], prompt: str) -> list[Any]:
    """Return the messages with an instruction at the end of the user's last message, or else in a new message."""
    last = messages[-1] if messages else None
    if isinstance(last, dict) and last.get("role") == "user":
        content = last["content"]
        if isinstance(content, str):
            return [*messages[:-1], {**last, "content": f"{content}\n\n{prompt}"}]
        return [*messages[:-1], {**last, "content": [*content, {"type": "text", "text": prompt}]}]
    return [*messages, {"role": "user", "content": prompt}]


@lru_cache  # bounded, so that programs that create models at run time do not fill the memory
def _strict_schema(tool: Any) -> dict[str, Any]:
    return strict_schema(tool.model_json_schema(schema_generator=GenerateJsonSchemaNoTitles))


def answer_text(response: Any, mode: Literal["tool", "json"]) -> str:
    """Return the JSON text of a structured answer. An answer in the other mode is accepted too.

    Raises:
        ValueError: The generation failed, or the response has neither a tool call nor text.
    """
    message = getattr(response, "message", None)
    if response.finish_reason in FAILURES:
        raise ValueError(f"the generation failed: {response.finish_reason}")
    calls = member(message, "tool_calls")
    arguments = calls[0].function.arguments if calls and getattr(calls[0], "function", None) else None
    content = text_of(message)
    for text in (arguments, content) if mode == "tool" else (content, arguments):
        if isinstance(text, str) and text:
            return text
    raise ValueError("No tool call or JSON object found in response.")
