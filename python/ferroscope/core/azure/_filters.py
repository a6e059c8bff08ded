"""The results of Azure's content filter in responses and chunks."""

from __future__ import annotations

from typing import Any

from ..._dialects.sdk_model import member

# Any: JSON of Azure, which adds categories over time.
ContentFilterResults = dict[str, Any]


def filter_results_of_choices(completion: Any) -> ContentFilterResults | None:
    """Return the filter results of the first choice that has any; None if no choice has."""
    for choice in member(completion, "choices") or []:
        if results := member(choice, "content_filter_results"):
            return dict(results)
    return None


def filter_results_of_prompts(completion: Any) -> list[dict[str, Any]] | None:
    """Return the filter results of each prompt; None if there are none."""
    results = member(completion, "prompt_filter_results")
    return None if results is None else [dict(result) for result in results]
