"""The cost of a call from its `CostMetadata`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..._core import calculate_cost as price_of

if TYPE_CHECKING:
    from ..base.types import CostMetadata, Provider

if os.environ.get("FERROSCOPE_PRICES"):
    from ...prices import _book as _book  # loads the price table in that file


def calculate_cost(provider: Provider, model: str, metadata: CostMetadata | None = None) -> float | None:
    """Return the cost of a call in USD; None if it is unknown.

    Counts have the provider's own meaning: `input_tokens` includes cached tokens, except for Anthropic and Bedrock,
    which count them separately. A `cost` in the metadata was reported by the provider and is returned as it is. Media
    counts are ignored, because their tokens are already in the other counts.

    Raises:
        ValueError: The provider is not in any price table.

    Example:
        >>> from ferroscope.core.base.types import CostMetadata
        >>> calculate_cost("openai", "gpt-4o", CostMetadata(input_tokens=1000, output_tokens=100))
        0.0035
    """
    if metadata is None:
        from ..base.types import CostMetadata

        metadata = CostMetadata()
    reported: float | None = getattr(metadata, "cost", None)
    return price_of(provider, model, metadata) if reported is None else reported
