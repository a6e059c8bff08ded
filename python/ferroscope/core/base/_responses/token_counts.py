"""The token properties of responses, chunks and streams, which all read the core's counts here.

To add a count: declare it in the core's table of usage forms (`usage/shapes.rs`), then add its property here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, computed_field

from ...._core import token_counts
from ..types import CostMetadata, Usage

NO_COUNTS: Final[Mapping[str, int | None]] = token_counts(None)


class TokenProperties:
    """Token counts as the provider reported them; a count that it did not report is None.

    A reported count that is null, text, negative or otherwise invalid is None too.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def _token_counts(self) -> Mapping[str, int | None]:
        """The core's token counts by name."""

    @property
    def input_tokens(self) -> int | None:
        """The number of prompt tokens. Anthropic and Bedrock do not include cached tokens."""
        return self._token_counts["input"]

    @property
    def cached_tokens(self) -> int | None:
        """The number of prompt tokens that were read from the provider's cache."""
        return self._token_counts["cached"]

    @property
    def output_tokens(self) -> int | None:
        """The number of generated tokens."""
        return self._token_counts["output"]

    @property
    def cost_metadata(self) -> CostMetadata:
        """The counts that determine the price of the call."""
        return CostMetadata(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
        )

    @property
    def common_usage(self) -> Usage | None:
        """The counts in the common form; None if the input or output count is unknown.

        `cached_tokens` is 0 if the provider reports no cached tokens.
        """
        return _usage(self.input_tokens, self.cached_tokens, self.output_tokens)


class TokenFields(TokenProperties, BaseModel):
    """The token properties as computed fields of a pydantic model."""

    if not TYPE_CHECKING:
        input_tokens = computed_field(TokenProperties.input_tokens)
        cached_tokens = computed_field(TokenProperties.cached_tokens)
        output_tokens = computed_field(TokenProperties.output_tokens)
        cost_metadata = computed_field(TokenProperties.cost_metadata)


def read_token_counts(usage: Any) -> Mapping[str, int | None]:  # Any: each provider's own usage object
    """Return the counts of a provider's usage object."""
    if usage is None:
        return NO_COUNTS
    from ....prices import usage_json

    return token_counts(usage_json(usage))


def common_usage(counts: Mapping[str, int | None]) -> Usage | None:
    """Return counts in the common form; None if the input or output count is unknown."""
    return _usage(counts["input"], counts["cached"], counts["output"])


def _usage(sent: int | None, cached: int | None, generated: int | None) -> Usage | None:
    if sent is None or generated is None:
        return None
    return Usage(
        input_tokens=sent,
        cached_tokens=cached or 0,
        output_tokens=generated,
        total_tokens=sent + generated,
    )
