"""The results of content filters in responses, chunks and streams, as Azure reports them.

https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
"""

from __future__ import annotations

from typing import Any

from ..sdk_model import member

# Any: JSON of Azure, which adds categories over time, and the SDK's objects.
ContentFilterResults = dict[str, Any]


class FilteredContent:
    """A base of classes with the results of a content filter."""

    __slots__ = ()

    def _filtered(self) -> Any:
        """Return the object with the results: the SDK's response or chunk."""
        raise NotImplementedError

    @property
    def content_filter_results(self) -> ContentFilterResults | None:
        """The results of the content filter for the text so far, by category; None if there are none."""
        for choice in member(self._filtered(), "choices") or []:
            if results := member(choice, "content_filter_results"):
                return dict(results)
        return None

    @property
    def prompt_filter_results(self) -> list[dict[str, Any]] | None:
        """The results of the content filter for each prompt; None if there are none.

        In a stream, the first chunk has them, which has no text.
        """
        results = member(self._filtered(), "prompt_filter_results")
        return None if results is None else [dict(result) for result in results]
