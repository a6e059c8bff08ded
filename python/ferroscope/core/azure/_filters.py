"""What Azure's content filter has to say, where responses and chunks hold it."""

from __future__ import annotations

from typing import Any

from ..._dialects.sdk_model import member

# Any: JSON of Azure's, whose categories grow.
ContentFilterResults = dict[str, Any]


def of_choices(completion: Any) -> ContentFilterResults | None:
    """What the filter found in the first choice that has a result."""
    for choice in member(completion, "choices") or []:
        if results := member(choice, "content_filter_results"):
            return dict(results)
    return None


def of_prompt(completion: Any) -> list[dict[str, Any]] | None:
    """What the filter found in the prompts."""
    results = member(completion, "prompt_filter_results")
    return None if results is None else [dict(result) for result in results]
