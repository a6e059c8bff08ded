"""The identity of a provider that a program defines with classes of its own, as in Mirascope v1."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from ..quirks import Quirks
from .identity import NO_PROVIDER
from .token_counts import TokenProperties

_PACKAGE: Final = __name__.partition(".")[0]


@dataclass(frozen=True, slots=True)
class UserProvider:
    """The provider of a class with the attribute `_provider`.

    Attributes:
        name: The name of the provider.
        has_counts: Whether the class defines its token counts itself, as Mirascope v1 required.
    """

    name: str
    has_counts: bool
    quirks: Quirks = field(default_factory=Quirks)

    @property
    def price_provider(self) -> str:
        """The provider in the price table, which has the same name."""
        return self.name


def claim(kind: Any) -> None:  # Any: a class of responses, chunks or streams
    """Set the identity of a user's class, or of a class with the name of its provider in `_provider`."""
    name = vars(kind).get("_provider")
    if name is None:
        # An attribute with an annotation is private to instances of pydantic's models.
        name = getattr(getattr(kind, "__private_attributes__", {}).get("_provider"), "default", None)
    if name is None and kind._record is NO_PROVIDER and not _is_ours(kind):
        name = NO_PROVIDER.name
    if isinstance(name, str):
        own = (base for base in kind.__mro__ if not _is_ours(base))
        kind._record = UserProvider(name, any("input_tokens" in vars(base) for base in own))


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == _PACKAGE


def counts_json(counted: TokenProperties) -> bytes:
    """Return the counts of a user's class as a usage object in JSON, whose input includes the cached tokens."""
    return usage_json_of(counted.input_tokens, counted.cached_tokens, counted.output_tokens)


def usage_json_of(sent: float | None, cached: float | None, generated: float | None) -> bytes:
    """Return token counts as a usage object in JSON, whose input includes the cached tokens."""
    usage: dict[str, object] = {}
    if sent is not None:
        usage["prompt_tokens"] = int(sent)
    if generated is not None:
        usage["completion_tokens"] = int(generated)
    if cached is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": int(cached)}
    return json.dumps(usage).encode()
