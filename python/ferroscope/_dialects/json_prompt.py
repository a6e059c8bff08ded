"""What a prompt says to have the answer be JSON, where a provider has no other place for that."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ..core.base.tool import GenerateJsonSchemaNoTitles

_INSTRUCTION = "For your final response, output ONLY a valid JSON dict"


def json_prompt(tool: Any) -> str:  # Any: a tool class of whichever provider, or None
    """The instruction, with the schema of what the answer is to be if that is known."""
    if tool is None:
        return f"{_INSTRUCTION} that adheres to the schema"
    return f"{_INSTRUCTION} (NOT THE SCHEMA) from the content that adheres to this schema:\n{_schema_text(tool)}"


@lru_cache  # bounded: who makes up models at run time does not fill the memory
def _schema_text(tool: Any) -> str:
    return json.dumps(tool.model_json_schema(schema_generator=GenerateJsonSchemaNoTitles), indent=2)
