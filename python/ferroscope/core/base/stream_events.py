"""What a stream says, kind by kind, for who wants to match on it.

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
from typing import Generic, TypeAlias

from typing_extensions import TypeVar

from .tool import BaseTool
from .types import FinishReason, Usage

_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)


@dataclass(frozen=True, slots=True)
class TextEvent:
    """Text that was added to the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingEvent:
    """What the model thought, of providers that show it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolArgumentsEvent:
    """A piece of the arguments of a tool call; `position` is the call's place among all of the answer."""

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
    """The tokens so far, whenever the provider says them; the last one is the account of the whole answer."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class FinishEvent:
    """Why the choices ended that have; the words are those that all providers share."""

    finish_reasons: list[FinishReason]


StreamEvent: TypeAlias = TextEvent | ThinkingEvent | ToolArgumentsEvent | ToolEvent[_ToolT] | UsageEvent | FinishEvent
"""Any of them."""
