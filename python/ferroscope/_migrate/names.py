"""The names of Mirascope v1: which of them this package has, and which section of the deviations describes them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final

OLD: Final = "mirascope"
NEW: Final = "ferroscope"
DEVIATIONS: Final = "docs/deviations.md"

# The beginning of a name of v1, and the section.
_OF_NAMES: Final = {
    "mirascope.core.anthropic": "Anthropic",
    "mirascope.core.azure": "Azure",
    "mirascope.core.base._utils": "Own providers",
    "mirascope.core.base.call_factory": "Own providers",
    "mirascope.core.base.stream.stream_factory": "Own providers",
    "mirascope.core.base.structured_stream.structured_stream_factory": "Own providers",
    "mirascope.core.bedrock": "Amazon Bedrock",
    "mirascope.core.cohere": "Cohere",
    "mirascope.core.costs": "Costs",
    "mirascope.core.gemini": "Google",
    "mirascope.core.google": "Google",
    "mirascope.core.openai": "OpenAI's message format",
    "mirascope.core.vertex": "Google",
    "mirascope.beta.openai": "Realtime",
    "mirascope.integrations": "Integrations",
    "mirascope.llm": "The llm module, streams and errors",
    "mirascope.mcp": "MCP",
    "mirascope.retries": "Retries and fallbacks",
    "mirascope.tools": "Ready-made tools",
}
# The last part of a name, wherever it is imported from, and the section.
_OF_LAST_PARTS: Final = {
    "BaseCallResponse": "Own providers",
    "BaseCallResponseChunk": "Own providers",
    "BasePrompt": "Prompts and templates",
    "BaseStream": "Own providers",
    "BaseTool": "Tools",
    "BaseToolKit": "Tools",
    "calculate_cost": "Costs",
    "merge_decorators": "Prompts and templates",
    "prompt_template": "Prompts and templates",
    "toolkit_tool": "Tools",
}
# An option of a call, and the section.
OF_OPTIONS: Final = {
    "call_params": "Calls, responses and streams",
    "json_mode": "Structured outputs",
    "response_model": "Structured outputs",
    "stream": "Calls, responses and streams",
    "tools": "Tools",
}


def section_of(name: str) -> str | None:
    """Return the section that describes a dotted name of v1; None if there is none."""
    own = _OF_LAST_PARTS.get(name.rpartition(".")[2])
    if own is not None:
        return own
    return next((_OF_NAMES[prefix] for prefix in _prefixes(name) if prefix in _OF_NAMES), None)


def anchor_of(section: str) -> str:
    """Return the link to a section of the deviations."""
    slug = re.sub(r"[^\w -]", "", section.lower()).replace(" ", "-")
    return f"{DEVIATIONS}#{slug}"


def new_name(name: str) -> str:
    """Return a dotted name of v1 as a name of this package."""
    return NEW + name.removeprefix(OLD)


def is_old(name: str) -> bool:
    """Return whether a dotted name is of Mirascope."""
    return name == OLD or name.startswith(f"{OLD}.")


@cache
def exists(name: str) -> bool:
    """Return whether this package has a module or an attribute of a dotted name of v1.

    A module that needs a package which is not installed counts as existing.
    """
    parts = new_name(name).split(".")
    # The longest module first: a package may have a function with the name of its module (`retries.fallback`).
    for number in range(len(parts), 0, -1):
        found = _module(".".join(parts[:number]))
        for part in parts[number:]:
            if found is None or found is _NOT_INSTALLED:
                break
            found = _attribute(found, part)
        if found is not None:
            return True
    return False


_NOT_INSTALLED: Final = object()


def _attribute(owner: object, name: str) -> object | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(owner, name, None)
    except ImportError:
        return _NOT_INSTALLED


def _module(name: str) -> ModuleType | object | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except ModuleNotFoundError as error:
        return None if error.name is not None and error.name.startswith(NEW) else _NOT_INSTALLED
    except ImportError:
        return _NOT_INSTALLED


def _prefixes(name: str) -> Iterator[str]:
    """Yield a dotted name and its parents, the longest first."""
    while name:
        yield name
        name = name.rpartition(".")[0]
