"""The steps of an answer, which a program's generator yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..core.base.stream import AnyStream
from ..core.base.tool import BaseTool


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """The output of a tool that the latest stream called.

    Attributes:
        tool: The tool that was called.
        output: Its output: JSON values, or an exception, which becomes the error of the call. The text of an exception
            is logged by the logger `ferroscope.web`, and not sent.
    """

    tool: BaseTool
    output: Any  # Any: the user's own value


@dataclass(frozen=True, slots=True)
class Data:
    """Data of the program's own, JSON values: a `data-NAME` part (Vercel), or a custom event (AG-UI).

    The formats `openai` and `text` have no place for it and leave it out.
    """

    name: str
    value: Any = field(default=None)  # Any: the user's own value


@dataclass(frozen=True, slots=True)
class Source:
    """A web page that the answer rests on."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the answer, by its URL (`https:` or `data:`)."""

    url: str
    media_type: str


Step: TypeAlias = AnyStream | ToolOutput | Data | Source | File
"""The steps that an answer's generator may yield."""
