"""The identity of a provider, for the classes of its responses, chunks, streams and tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ..quirks import Quirks


class Identity(Protocol):
    """The fields of a provider's record that its classes read."""

    @property
    def name(self) -> str:
        """The name of the provider in user code."""
        ...

    @property
    def price_provider(self) -> str:
        """The name of the provider in the price table."""
        ...

    @property
    def quirks(self) -> Quirks:
        """The differences from the wire format."""
        ...


@dataclass(frozen=True, slots=True)
class _NoProvider:
    name: str = "NO PROVIDER"
    price_provider: str = "NO PROVIDER"
    quirks: Quirks = field(default_factory=Quirks)


NO_PROVIDER: Identity = _NoProvider()
"""The identity of a class that does not belong to a provider's record."""
