"""A runner in a peer's environment. It prices one call repeatedly, and measures import, first and later calls."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

INPUT, OUTPUT = 1_200, 300

Price = Callable[[], float]


def ferroscope_counts(provider: str, model: str) -> Price:
    from ferroscope.core.base.types import CostMetadata
    from ferroscope.core.costs import calculate_cost

    metadata = CostMetadata(input_tokens=INPUT, output_tokens=OUTPUT)
    return lambda: calculate_cost(provider, model, metadata) or 0.0  # type: ignore[arg-type]  # any provider


def ferroscope_items(provider: str, model: str) -> Price:
    from ferroscope import prices

    usage = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
    return lambda: float(prices.cost(provider, model, usage))


def genai_prices(provider: str, model: str) -> Price:
    from genai_prices import Usage, calc_price

    usage = Usage(input_tokens=INPUT, output_tokens=OUTPUT)
    return lambda: float(calc_price(usage, model_ref=model, provider_id=provider).total_price)


def litellm(provider: str, model: str) -> Price:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise it fetches its prices at import
    from litellm import cost_per_token

    def price() -> float:
        parts = cost_per_token(model=model, custom_llm_provider=provider, prompt_tokens=INPUT, completion_tokens=OUTPUT)
        return float(sum(parts))

    return price


def mirascope(provider: str, model: str) -> Price:
    from mirascope.core.base.types import CostMetadata
    from mirascope.core.costs import calculate_cost

    metadata = CostMetadata(input_tokens=INPUT, output_tokens=OUTPUT)
    return lambda: calculate_cost(provider, model, metadata) or 0.0


WAYS: dict[str, Callable[[str, str], Price]] = {
    "ferroscope counts": ferroscope_counts,
    "ferroscope items": ferroscope_items,
    "genai-prices": genai_prices,
    "litellm": litellm,
    "mirascope": mirascope,
}


def main(way: str, provider: str, model: str, seconds: float) -> dict[str, Any]:
    started = time.perf_counter()
    price = WAYS[way](provider, model)
    imported = time.perf_counter()
    try:
        found = price()
    except Exception as error:  # each peer has its own exception for an unknown model
        return {"refused": f"{type(error).__name__}"}
    first = time.perf_counter()
    calls, best = 100, float("inf")
    while time.perf_counter() - first < seconds:
        before = time.perf_counter()
        for _ in range(calls):
            price()
        # The fastest run, because other work on the machine only adds time.
        best = min(best, (time.perf_counter() - before) / calls)
    return {"import": imported - started, "first": first - imported, "call": best, "usd": found}


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
