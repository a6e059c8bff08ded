"""The parameters of a call other than its messages and tools."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class BaseCallParams(TypedDict, total=False):
    """The base class of every provider's parameters."""


class CommonCallParams(TypedDict, total=False):
    """The parameters that have the same meaning for most providers.

    Each provider's dialect converts their names; parameters that a provider does not support are dropped.
    """

    temperature: NotRequired[float | None]
    max_tokens: NotRequired[int | None]
    top_p: NotRequired[float | None]
    frequency_penalty: NotRequired[float | None]
    presence_penalty: NotRequired[float | None]
    seed: NotRequired[int | None]
    stop: NotRequired[str | list[str] | None]
