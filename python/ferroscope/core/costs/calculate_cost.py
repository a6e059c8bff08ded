"""The price of a call from its `CostMetadata`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..._core import calculate_cost as price_of

if TYPE_CHECKING:
    from ..base.types import CostMetadata, Provider

if os.environ.get("FERROSCOPE_PRICES"):
    from ...prices import _book as _book  # loads the table that the variable names


def calculate_cost(provider: Provider, model: str, metadata: CostMetadata | None = None) -> float | None:
    """The cost of a call in USD, None if it is not known.

    Counts are taken in the provider's own sense: cached tokens are inside `input_tokens` except for Anthropic and
    Bedrock, where they are beside it. A `cost` in the metadata is the provider's word, and is returned. Media is not
    looked at: its tokens are in the counts already.

    Raises:
        ValueError: No price table has the provider.

    Example:
        >>> from ferroscope.core.base.types import CostMetadata
        >>> calculate_cost("openai", "gpt-4o", CostMetadata(input_tokens=1000, output_tokens=100))
        0.0035
    """
    if metadata is None:
        from ..base.types import CostMetadata

        metadata = CostMetadata()
    stated: float | None = getattr(metadata, "cost", None)
    return price_of(provider, model, metadata) if stated is None else stated
