"""The instruction in the prompt that asks for JSON, for providers without a parameter for it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ..core.base.tool import GenerateJsonSchemaNoTitles

_INSTRUCTION = "For your final response, output ONLY a valid JSON dict"


def json_prompt(tool: Any) -> str:  # Any: a tool class of whichever provider, or None
    """Return the instruction, with the schema of the expected answer if it is known."""
    if tool is None:
        return f"{_INSTRUCTION} that adheres to the schema"
    return f"{_INSTRUCTION} (NOT THE SCHEMA) from the content that adheres to this schema:\n{_schema_text(tool)}"


@lru_cache  # bounded, so that programs that create models at run time do not fill the memory
def _schema_text(tool: Any) -> str:
    return json.dumps(tool.model_json_schema(schema_generator=GenerateJsonSchemaNoTitles), indent=2)
