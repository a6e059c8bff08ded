"""Metadata of a call, which its response contains."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class Metadata(TypedDict, total=False):
    """Metadata of a call: `tags` mark versions, categories, experiments."""

    tags: NotRequired[set[str]]
