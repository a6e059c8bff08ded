"""The parameters that a call may send besides its messages and tools."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class BaseCallParams(TypedDict, total=False):
    """What every provider's parameters extend."""


class CommonCallParams(TypedDict, total=False):
    """The parameters that have the same meaning at most providers.

    Each provider's dialect gives them its own names; what a provider does not know is left out.
    """

    temperature: NotRequired[float | None]
    max_tokens: NotRequired[int | None]
    top_p: NotRequired[float | None]
    frequency_penalty: NotRequired[float | None]
    presence_penalty: NotRequired[float | None]
    seed: NotRequired[int | None]
    stop: NotRequired[str | list[str] | None]
