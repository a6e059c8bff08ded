"""What one may note about a call; it comes back in the response."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class Metadata(TypedDict, total=False):
    """Notes about a call: `tags` mark versions, categories, experiments."""

    tags: NotRequired[set[str]]
