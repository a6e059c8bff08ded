"""Exact, itemised costs of calls, from a table inside the package, without network access.

```python
from ferroscope import prices

cost = prices.cost("openai", "gpt-4o", {"prompt_tokens": 1000, "completion_tokens": 100})
print(cost.total, [item.to_dict() for item in cost.items])

with prices.meter(budget_usd="5") as spent:
    ...  # calls, streams and tasks
print(spent.total, spent.unpriced_calls)
```
"""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ._book import (
        Info,
        PriceRow,
        RateRow,
        Rates,
        alias,
        info,
        load,
        providers_of,
        rates,
        register,
        reset,
        scale,
        update,
    )
    from ._cost import (
        FREE,
        Context,
        Cost,
        CostItem,
        Provenance,
        Status,
        Total,
        billed_by,
        cached_cost,
        cost,
        cost_of,
        quick_total,
        usage_json,
    )
    from ._meter import (
        CHARACTERS_PER_TOKEN,
        BudgetWatch,
        Meter,
        budget_watch,
        check_budgets,
        meter,
        metered,
        open_meters,
        record,
    )

__all__ = [
    "CHARACTERS_PER_TOKEN",
    "FREE",
    "BudgetWatch",
    "Context",
    "Cost",
    "CostItem",
    "Info",
    "Meter",
    "PriceRow",
    "Provenance",
    "RateRow",
    "Rates",
    "Status",
    "Total",
    "alias",
    "billed_by",
    "budget_watch",
    "cached_cost",
    "check_budgets",
    "cost",
    "cost_of",
    "info",
    "load",
    "meter",
    "metered",
    "open_meters",
    "providers_of",
    "quick_total",
    "rates",
    "record",
    "register",
    "reset",
    "scale",
    "update",
    "usage_json",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(__all__, "._book"),
        **dict.fromkeys(
            [
                "FREE",
                "Context",
                "Cost",
                "CostItem",
                "Provenance",
                "Status",
                "Total",
                "billed_by",
                "cached_cost",
                "cost",
                "cost_of",
                "quick_total",
                "usage_json",
            ],
            "._cost",
        ),
        **dict.fromkeys(
            [
                "CHARACTERS_PER_TOKEN",
                "Meter",
                "BudgetWatch",
                "check_budgets",
                "meter",
                "metered",
                "open_meters",
                "record",
                "budget_watch",
            ],
            "._meter",
        ),
    },
)
