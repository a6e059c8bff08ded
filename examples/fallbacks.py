"""Retries, a fallback to another provider, and a budget. Needs `OPENAI_API_KEY` and `ANTHROPIC_API_KEY`.

Run it with `python fallbacks.py "Why is the sky blue?"`.
"""

import sys

from ferroscope import errors, llm, prices
from ferroscope.retries import FallbackError, fallback


@fallback(
    errors.APIError,
    [{"catch": errors.APIError, "provider": "anthropic", "model": "claude-haiku-4-5"}],
)
@llm.call("openai/gpt-4o-mini", retry=3)
def answer(question: str) -> str:
    return f"Answer in one sentence: {question}"


if __name__ == "__main__":
    try:
        with prices.meter(budget_usd="0.01") as spent:
            response = answer(sys.argv[1])
    except FallbackError as error:
        sys.exit(f"no provider answered: {error}")
    except errors.BudgetExceededError as error:
        sys.exit(str(error))
    print(response.content)
    print(f"{response.provider}, {spent.total} USD")
