"""Structured answers in the chat-completions format: the request parameters, and the place of the answer.

https://platform.openai.com/docs/guides/structured-outputs
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from ...core.base._schemas.strict_schema import strict_schema
from ...core.base.tool import GenerateJsonSchemaNoTitles
from ..json_prompt import json_prompt
from ..sdk_model import arguments_of, member

if TYPE_CHECKING:
    from ..._engine.extraction import Extraction
    from ...core.base.quirks import Quirks

# Any: keyword arguments of the SDK, and its response objects.


def render_extraction(kwargs: dict[str, Any], extraction: Extraction, quirks: Quirks) -> None:
    """Change the keyword arguments of a request so that it asks for a structured answer."""
    if extraction.mode == "tool":
        given = kwargs.get("tools", ())
        kwargs["tools"] = [*given, wire_schema(extraction.tool)]
        # Choose the tool by its name only beside other tools: not every server supports a choice by name.
        by_name = given or quirks.tool_choice == "name"
        kwargs["tool_choice"] = _named(extraction.tool) if by_name else quirks.tool_choice
    elif extraction.strict:
        kwargs["response_format"] = _strict_format(extraction.tool)
    else:
        render_json_mode(kwargs, extraction.tool)


def _named(tool: Any) -> dict[str, Any]:
    """Return the choice of one tool among several."""
    return {"type": "function", "function": {"name": tool._name()}}


def render_json_mode(kwargs: dict[str, Any], tool: Any) -> None:
    """Change the keyword arguments so that they ask for JSON. The schema goes into the prompt."""
    kwargs.setdefault("response_format", {"type": "json_object"})
    kwargs["messages"] = [*kwargs["messages"], {"role": "user", "content": json_prompt(tool)}]


def wire_schema(tool: Any) -> dict[str, Any]:
    """Return the schema of a tool in this format. It is built once and shared."""
    schema: dict[str, Any] = tool.wire_schema()
    return schema


@lru_cache  # bounded, so that programs that create models at run time do not fill the memory
def _strict_format(tool: Any) -> dict[str, Any]:
    schema = strict_schema(tool.model_json_schema(schema_generator=GenerateJsonSchemaNoTitles))
    described = {
        "name": tool._name(),
        "description": tool._description(),
        "strict": True,
        "schema": schema,
    }
    return {"type": "json_schema", "json_schema": described}


def answer_text(response: Any, mode: Literal["tool", "json"]) -> str:
    """Return the JSON text of a structured answer. An answer in the other mode is accepted too.

    Raises:
        ValueError: The model refused, or the response has neither a tool call nor text.
    """
    message = response.choices[0].message if response.choices else None
    if refusal := member(message, "refusal"):
        raise ValueError(refusal)
    content = getattr(message, "content", None)
    calls = getattr(message, "tool_calls", None)
    function = getattr(calls[0], "function", None) if calls else None
    arguments = arguments_of(function) if function else None
    for text in (arguments, content) if mode == "tool" else (content, arguments):
        if isinstance(text, str) and text:
            return text
    raise ValueError("No tool call or JSON object found in response.")
