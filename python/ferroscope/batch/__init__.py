"""A function over many rows: bounded concurrency, limits, and a result for every row.

```python
from ferroscope import llm


@llm.call("openai", "gpt-4o-mini")
def translate(text: str) -> str:
    return f"Translate into French: {text}"


for result in translate.map("texts.jsonl", concurrency=100, budget_usd=5):
    print(result.key, result.value.content if result.ok else result.error)
```
"""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ._checkpoint import Checkpoint, CheckpointError, CheckpointRow
    from ._export import export
    from ._job_run import BatchRowError
    from ._map import AsyncRowResults, MapOptions, RowResults, map_rows
    from ._processes import WorkerLostError
    from ._results import MapStats, RecordedError, RowResult, StopReason
    from ._rows import Row, Rows

__all__ = [
    "AsyncRowResults",
    "BatchRowError",
    "Checkpoint",
    "CheckpointError",
    "CheckpointRow",
    "MapOptions",
    "MapStats",
    "RecordedError",
    "Row",
    "RowResult",
    "RowResults",
    "Rows",
    "StopReason",
    "WorkerLostError",
    "export",
    "map_rows",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BatchRowError": "._job_run",
        "WorkerLostError": "._processes",
        "export": "._export",
        **dict.fromkeys(["Checkpoint", "CheckpointError", "CheckpointRow"], "._checkpoint"),
        **dict.fromkeys(["AsyncRowResults", "MapOptions", "RowResults", "map_rows"], "._map"),
        **dict.fromkeys(["MapStats", "RecordedError", "RowResult", "StopReason"], "._results"),
        **dict.fromkeys(["Row", "Rows"], "._rows"),
    },
)
