"""The rewriting of requirements: `pyproject.toml`, `setup.cfg` and requirements files.

The lines are changed in place, so that comments and order stay.
"""

from __future__ import annotations

import json
import re
from typing import Final

from .names import NEW, OLD

# A requirement of PEP 508: name, extras and version. A name that contains this one (`mirascope-x`) is another package.
_REQUIREMENT: Final = re.compile(
    rf"(?<![\w.\-/@]){OLD}(?P<extras>[ ]*\[[^\]\n]*\])?(?P<version>(?:[ ]*[<>=!~]=?=?[ ]*[^\s;,'\"#]+,?)+)?"
    r"(?=[ ]*(?:[;'\"#\n]|$))",
    re.MULTILINE,
)
# Poetry: `mirascope = "^1.25"` and `mirascope = {version = "^1.25", extras = ["openai"]}`.
_TABLE: Final = re.compile(
    rf"^(?P<indent>[ ]*){OLD}(?P<equals>[ ]*=[ ]*)(?P<value>\"[^\"\n]*\"|\{{[^\n]*\}})", re.MULTILINE
)
_VERSION: Final = re.compile(r"(version[ ]*=[ ]*)\"[^\"]*\"")
_EXTRAS: Final = re.compile(r"(extras[ ]*=[ ]*)\[([^\]]*)\]")


# The extras of v1 that this package has.
EXTRAS: Final = frozenset(
    {
        "anthropic",
        "azure",
        "bedrock",
        "cohere",
        "gemini",
        "google",
        "groq",
        "hyperdx",
        "langfuse",
        "litellm",
        "logfire",
        "mcp",
        "mistral",
        "openai",
        "opentelemetry",
        "realtime",
        "tenacity",
        "vertex",
        "xai",
    }
)


def rewrite_requirements(text: str) -> tuple[str, list[str]]:
    """Return requirements with those of Mirascope changed, and the extras that do not exist here.

    Versions of Mirascope are dropped.
    """
    lost: list[str] = []

    def kept(names: str) -> list[str]:
        asked = [name.strip().strip("\"'") for name in names.split(",") if name.strip()]
        lost.extend(name for name in asked if name not in EXTRAS)
        return [name for name in asked if name in EXTRAS]

    def requirement(match: re.Match[str]) -> str:
        names = kept((match["extras"] or "").strip(" []"))
        return NEW + (f"[{','.join(names)}]" if names else "")

    def table(match: re.Match[str]) -> str:
        value = match["value"]
        if value.startswith("{"):
            value = _VERSION.sub(r'\1"*"', value)
            value = _EXTRAS.sub(lambda found: f"{found[1]}{json.dumps(kept(found[2]))}", value)
        else:
            value = '"*"'
        return f"{match['indent']}{NEW}{match['equals']}{value}"

    return _REQUIREMENT.sub(requirement, _TABLE.sub(table, text)), lost
