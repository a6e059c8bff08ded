"""A tool that searches the web with DuckDuckGo."""

from __future__ import annotations

from abc import ABC
from math import ceil
from typing import ClassVar

from pydantic import Field

from ..._engine.extras import require_package
from ..base import ConfigurableTool, _ConfigurableToolConfig

__all__ = ["DuckDuckGoSearch", "DuckDuckGoSearchConfig"]


class DuckDuckGoSearchConfig(_ConfigurableToolConfig):
    """The limits of `DuckDuckGoSearch`."""

    max_results_per_query: int = Field(default=2, gt=0, description="Maximum number of results per query")
    max_queries: int = Field(default=10, gt=0, description="Maximum number of queries per call")
    timeout: float = Field(default=5, gt=0, description="Limit of one query in seconds")


class _BaseDuckDuckGoSearch(ConfigurableTool[DuckDuckGoSearchConfig], ABC):
    """Search the web and return the title, URL and snippet of each result."""

    __configurable_tool_config__ = DuckDuckGoSearchConfig()
    __prompt_usage_description__: ClassVar[str] = """
    - `DuckDuckGoSearch`: Searches the web
        - Returns the title, URL and snippet of each result
        - Accepts several queries at once
    """

    queries: list[str] = Field(..., description="The search queries")


class DuckDuckGoSearch(_BaseDuckDuckGoSearch):
    """Search the web and return the title, URL and snippet of each result."""

    def call(self) -> str:
        """Return the results of all queries, or an error message.

        Raises:
            ferroscope.errors.MissingExtraError: The package `ddgs` is not installed.
        """
        require_package("ddgs", extra="duckduckgo", user="DuckDuckGoSearch")
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException

        config = self._get_config()
        if len(self.queries) > config.max_queries:
            return f"Error: {len(self.queries)} queries, but the maximum is {config.max_queries}"
        search = DDGS(timeout=ceil(config.timeout))
        results: list[str] = []
        for query in self.queries:
            try:
                found = search.text(query, max_results=config.max_results_per_query, backend="duckduckgo")
            except DDGSException as error:
                results.append(f"Error: No results for {query!r}: {error}")
                continue
            except Exception as error:  # a tool returns its failures
                return f"{type(error).__name__}: Failed to search the web for text: {error}"
            results += (
                f"Title: {result['title']}\nURL: {result['href']}\nSnippet: {result['body']}"
                for result in found[: config.max_results_per_query]
            )
        return "\n\n".join(results)
