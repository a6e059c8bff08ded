"""Counters of the service in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter


class Metrics:
    """Counts requests, answers, tokens and cost."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.answers: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.cost_usd = 0.0
        self.unpriced = 0
        self.running = 0

    def count(self, endpoint: str, status: int) -> None:
        """Count a request."""
        self.requests[endpoint, status] += 1

    def end_answer(self, outcome: str, input_tokens: int, output_tokens: int, cost: float | None) -> None:
        """Count an answer: `complete`, or `incomplete` after an error, a stop, or a client that left."""
        self.answers[outcome] += 1
        self.tokens["input"] += input_tokens
        self.tokens["output"] += output_tokens
        if cost is None:
            self.unpriced += 1
        else:
            self.cost_usd += cost

    def text(self) -> str:
        """Return all counters."""
        lines = ["# TYPE ferroscope_requests_total counter"]
        lines += [
            f'ferroscope_requests_total{{endpoint="{endpoint}",status="{status}"}} {count}'
            for (endpoint, status), count in sorted(self.requests.items())
        ]
        lines.append("# TYPE ferroscope_answers_total counter")
        lines += [f'ferroscope_answers_total{{outcome="{name}"}} {n}' for name, n in sorted(self.answers.items())]
        lines.append("# TYPE ferroscope_tokens_total counter")
        lines += [f'ferroscope_tokens_total{{kind="{name}"}} {n}' for name, n in sorted(self.tokens.items())]
        lines += [
            "# TYPE ferroscope_cost_usd_total counter",
            f"ferroscope_cost_usd_total {self.cost_usd!r}",
            "# TYPE ferroscope_unpriced_answers_total counter",
            f"ferroscope_unpriced_answers_total {self.unpriced}",
            "# TYPE ferroscope_running_answers gauge",
            f"ferroscope_running_answers {self.running}",
        ]
        return "\n".join(lines) + "\n"
