"""Structured answers of the Responses API: the request parameters, and the place of the answer.

https://platform.openai.com/docs/guides/structured-outputs
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from ...core.base._schemas.strict_schema import strict_schema
from ...core.base.tool import GenerateJsonSchemaNoTitles
from ..json_prompt import json_prompt
from .reading import calls_of, finish_reasons_of, member, refusal_of, text_of

if TYPE_CHECKING:
    from ..._engine.extraction import Extraction

# Any: keyword arguments of the SDK, and its response objects.


def render_extraction(kwargs: dict[str, Any], extraction: Extraction) -> None:
    """Change the keyword arguments of a request so that it asks for a structured answer."""
    if extraction.mode == "tool":
        tool: Any = extraction.tool
        kwargs["tools"] = [*kwargs.get("tools", ()), tool.wire_schema()]
        kwargs["tool_choice"] = {"type": "function", "name": tool._name()}
    elif extraction.strict:
        _set_format(kwargs, _strict_format(extraction.tool))
    else:
        render_json_mode(kwargs, extraction.tool)


def render_json_mode(kwargs: dict[str, Any], tool: Any) -> None:
    """Change the keyword arguments so that they ask for JSON. The schema goes into the prompt."""
    if "format" not in (kwargs.get("text") or {}):
        _set_format(kwargs, {"type": "json_object"})
    kwargs["input"] = [*kwargs["input"], {"role": "user", "content": json_prompt(tool)}]


def _set_format(kwargs: dict[str, Any], format: dict[str, Any]) -> None:
    kwargs["text"] = {**(kwargs.get("text") or {}), "format": format}


@lru_cache  # bounded, so that programs that create models at run time do not fill the memory
def _strict_format(tool: Any) -> dict[str, Any]:
    schema = strict_schema(tool.model_json_schema(schema_generator=GenerateJsonSchemaNoTitles))
    return {
        "type": "json_schema",
        "name": tool._name(),
        "description": tool._description(),
        "strict": True,
        "schema": schema,
    }


def answer_text(response: Any, mode: Literal["tool", "json"]) -> str:
    """Return the JSON text of a structured answer. An answer in the other mode is accepted too.

    Raises:
        ValueError: The model refused, the call was cut off, or the response has neither a tool call nor text.
    """
    if refusal := refusal_of(response):
        raise ValueError(refusal)
    calls = calls_of(response)
    if calls and member(calls[0], "status") == "incomplete":
        raise ValueError(f"the call was cut off: {', '.join(finish_reasons_of(response))}")
    arguments, content = (calls[0].arguments if calls else None), text_of(response)
    for text in (arguments, content) if mode == "tool" else (content, arguments):
        if isinstance(text, str) and text:
            return text
    raise ValueError("No tool call or JSON object found in response.")
