"""Calls to any provider, with responses in a form that all providers share.

```python
from ferroscope import llm


@llm.call(provider="openai", model="gpt-4o-mini")
def recommend_book(genre: str) -> str:
    return f"Recommend a {genre} book"


print(recommend_book("fantasy").content)
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ..core.base.types import CostMetadata, LocalProvider, Provider
    from ..core.costs.calculate_cost import calculate_cost
    from ._call import call
    from ._context import context
    from ._override import override
    from .call_response import CallResponse
    from .call_response_chunk import CallResponseChunk
    from .stream import Stream
    from .tool import Tool

__all__ = [
    "CallResponse",
    "CallResponseChunk",
    "CostMetadata",
    "LocalProvider",
    "Provider",
    "Stream",
    "Tool",
    "calculate_cost",
    "call",
    "context",
    "override",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CallResponse": ".call_response",
        "CallResponseChunk": ".call_response_chunk",
        "CostMetadata": "..core.base.types",
        "LocalProvider": "..core.base.types",
        "Provider": "..core.base.types",
        "Stream": ".stream",
        "Tool": ".tool",
        "calculate_cost": "..core.costs",
        "call": "._call",
        "context": "._context",
        "override": "._override",
        "call_response": None,
        "call_response_chunk": None,
        "stream": None,
        "tool": None,
    },
)
