"""What a call is asked to be, and what changes that."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ..core.base.stream_config import StreamConfig
from ..core.base.tool import BaseTool

# Any: a user's own functions, models and clients pass through.
Tools = Sequence[type[BaseTool] | Callable[..., Any]]
Parser = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Options:
    """What `llm.call` was given."""

    provider: str
    model: str
    stream: bool | StreamConfig = False
    tools: Tools | None = None
    response_model: Any = None
    output_parser: Parser | None = None
    json_mode: bool = False
    client: object | None = None
    call_params: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The arguments by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def key(self) -> Hashable:
        """What a plan is made of; the client and the parameters are put into it for each call."""
        stream = _hashable(self.stream)
        tools = None if self.tools is None else tuple(self.tools)
        return (
            self.provider,
            self.model,
            stream,
            tools,
            self.response_model,
            self.output_parser,
            self.json_mode,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What `llm.override` or `llm.context` was given; None leaves what is there."""

    provider: str | None = None
    model: str | None = None
    stream: bool | StreamConfig | None = None
    tools: Tools | None = None
    response_model: Any = None
    output_parser: Parser | None = None
    json_mode: bool | None = None
    client: object | None = None
    call_params: Mapping[str, Any] | None = None

    def settings(self) -> Change:
        """The part that says who is called, and not what is made of the answer."""
        return Change(self.provider, self.model, client=self.client, call_params=self.call_params)

    def apply(self, options: Options) -> Options:
        """The changed options.

        What is made of the answer (stream, response model, parser) is said anew as a whole. A client belongs
        to the provider that it was given with: another provider is called with another client.
        """
        changed: dict[str, Any] = {}
        if self.stream or self.response_model is not None or self.output_parser is not None:
            changed.update(stream=False, response_model=None, output_parser=None)
        if self.response_model is not None:
            changed["tools"] = None
        if self.provider is not None and self.provider != options.provider:
            changed["client"] = None
        for name in _NAMES:
            value = getattr(self, name)
            if value is not None:
                changed[name] = value
        return replace(options, **changed)


def _hashable(value: object) -> Hashable:
    """A config as something to look it up by."""
    if isinstance(value, dict):
        return tuple(sorted((name, _hashable(item)) for name, item in value.items()))
    return value


_NAMES = tuple(field.name for field in fields(Change))
