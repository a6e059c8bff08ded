"""The options of an `llm` call, and changes of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from .._engine.options import OPTION_NAMES, CallOptions
from ..cache import Cache

# These options are added to the plan of each call. All other options are part of the plan itself.
SETTINGS = ("client", "call_params")
# The options of v1, all of which `as_dict` contains. Newer options are included only if they were passed.
_V1_OPTIONS = tuple(name for name in OPTION_NAMES if name not in ("retry", "rate_limit", "cache"))
_PLANNED = tuple(name for name in OPTION_NAMES if name not in SETTINGS)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an `llm` call.

    Attributes:
        provider: The provider to call; None if the program has not set one.
        model: The name of the model; None likewise.
        call: All other options, as passed.
    """

    provider: str | None
    model: str | None
    call: CallOptions

    def as_dict(self) -> dict[str, Any]:
        """Return all options by name, as v1 sets them on a decorated function (`_original_call_args`)."""
        defaults = dict.fromkeys(_V1_OPTIONS) | {"stream": False, "json_mode": False}
        return {"provider": self.provider, "model": self.model, **defaults, **self.call}

    def key(self) -> Hashable:
        """Return the cache key of the plan of these options."""
        given: Mapping[str, Any] = self.call
        return (self.provider, self.model, *(_hashable(_or_none(given.get(name))) for name in _PLANNED))

    def planned(self) -> CallOptions:
        """Return the options that are part of a plan."""
        return cast("CallOptions", {name: value for name, value in self.call.items() if name not in SETTINGS})


@dataclass(frozen=True, slots=True)
class Change:
    """A change of options by `llm.override` or `llm.context`; options outside it keep their values.

    Attributes:
        provider: The new provider, or None.
        model: The new model, or None.
        call: The other options that change.
    """

    provider: str | None = None
    model: str | None = None
    call: CallOptions = field(default_factory=CallOptions)

    @classmethod
    def of(
        cls, provider: str | None = None, model: str | None = None, **call: Any
    ) -> Change:  # Any: the values of `CallOptions`
        """Return the change for the arguments of a call; None leaves an option as it is."""
        given = {name: value for name, value in call.items() if value is not None}
        return cls(provider or None, model or None, cast("CallOptions", given))

    def settings(self) -> Change:
        """Return the part of the change that applies to nested calls: provider, model, client and parameters."""
        call = {name: value for name, value in self.call.items() if name in SETTINGS}
        return Change(self.provider, self.model, cast("CallOptions", call))

    def apply(self, options: Options) -> Options:
        """Return the changed options.

        The options `stream`, `response_model` and `output_parser` exclude each other. A client is dropped when the
        provider changes.
        """
        call: dict[str, Any] = dict(options.call)
        if self.call.get("stream") or "response_model" in self.call or "output_parser" in self.call:
            for name in ("stream", "response_model", "output_parser"):
                call.pop(name, None)
        if "response_model" in self.call:
            call.pop("tools", None)
        if self.provider is not None and self.provider != options.provider:
            call.pop("client", None)
        call.update(self.call)
        return replace(
            options,
            provider=self.provider or options.provider,
            model=self.model or options.model,
            call=cast("CallOptions", call),
        )


def _or_none(value: Any) -> Any:
    """Return None for the values that mean the same: False and empty collections. A cache may be empty too."""
    return value if value or isinstance(value, Cache) else None


def _hashable(value: object) -> Hashable:
    """Return the value of an option in a hashable form."""
    if isinstance(value, dict):
        return tuple(sorted((name, _hashable(item)) for name, item in value.items()))
    return tuple(value) if isinstance(value, list) else value
