"""The typed events of a stream, for use with `match`.

```python
for event in stream.events():
    match event:
        case TextEvent(text):
            print(text, end="")
        case ToolEvent(tool):
            print(tool.call())
        case UsageEvent(usage):
            print(usage.total_tokens)
```
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias

from typing_extensions import TypeVar

from .tool import BaseTool
from .types import FinishReason, Usage

_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)


@dataclass(frozen=True, slots=True)
class TextEvent:
    """Text that was added to the response."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingEvent:
    """Thinking of the model, from providers that return it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolArgumentsEvent:
    """A fragment of the arguments of a tool call; `position` is the index of the call in the response."""

    position: int
    id: str | None
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolEvent(Generic[_ToolT]):
    """A tool whose arguments are complete."""

    tool: _ToolT


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """The token counts so far, each time the provider reports them; the last event counts the complete response."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class FinishEvent:
    """The finish reasons of the choices that have ended, in the common vocabulary."""

    finish_reasons: list[FinishReason]


StreamEvent: TypeAlias = TextEvent | ThinkingEvent | ToolArgumentsEvent | ToolEvent[_ToolT] | UsageEvent | FinishEvent
"""Any event of a stream."""

WebFormat: TypeAlias = Literal["vercel", "openai", "ag-ui", "text"]
"""A format of server-sent events that `stream.sse` writes."""
