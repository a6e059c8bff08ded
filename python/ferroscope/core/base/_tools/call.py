"""A finished tool call as plain data, converted to the SDK's object on first access."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, PlainSerializer
from pydantic.json_schema import SkipJsonSchema

SdkToolCallT = TypeVar("SdkToolCallT", bound=BaseModel | Mapping[str, object])


@dataclass(frozen=True, slots=True)
class Fragments:
    """The beginning of a growing text: its first pieces, joined on demand."""

    pieces: list[str]
    count: int

    def __str__(self) -> str:
        return "".join(self.pieces[: self.count])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PendingToolCall(ABC, Generic[SdkToolCallT]):
    """A tool call that is not yet an SDK object.

    It is compared, printed and serialized like the SDK object, so the behaviour does not depend on an earlier access
    to `tool_call`.
    """

    id: str | None
    name: str
    text: str | Fragments

    @property
    def arguments(self) -> str:
        """The arguments as JSON text, as received so far."""
        return str(self.text)

    @abstractmethod
    def build(self) -> SdkToolCallT:
        """Return the SDK's object."""

    @classmethod
    @abstractmethod
    def from_mapping(cls, value: Mapping[str, object]) -> SdkToolCallT:
        """Return the SDK's object for a dict of its fields."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PendingToolCall):
            return (self.id, self.name, self.arguments) == (other.id, other.name, other.arguments)
        return self.build() == other

    def __hash__(self) -> int:
        return hash((self.id, self.name, self.arguments))

    def __repr__(self) -> str:
        return repr(self.build())

    def __reduce__(self) -> tuple[object, ...]:
        # The class may have been created at run time, and the SDK's class was not.
        return _unchanged, (self.build(),)


def _dump(value: object) -> object:
    if isinstance(value, PendingToolCall):
        value = value.build()
    return value.model_dump() if isinstance(value, BaseModel) else value


# The SDK's class cannot be named here at run time, because that would import the SDK. The static type comes from the
# provider's tool class.
LazyToolCall = Annotated[SkipJsonSchema[Any], PlainSerializer(_dump)]
"""The run-time type of the field `tool_call` of a provider's tool."""


class ToolCallAttribute:
    """The attribute `tool_call` of a provider's tool, which builds the SDK's object on first access.

    It must be a data descriptor, because only those take precedence over the instance's `__dict__`, where pydantic
    stores fields. It is absent on the class, as pydantic expects of a field without a default.
    """

    def __get__(self, instance: BaseModel | None, owner: Any) -> Any:  # Any: a tool class, and the SDK's object
        if instance is None:
            raise AttributeError("tool_call")
        fields = vars(instance)
        value = fields.get("tool_call")
        if isinstance(value, PendingToolCall):
            value = fields["tool_call"] = value.build()
        elif isinstance(value, Mapping):
            value = fields["tool_call"] = owner.__pending_tool_call__.from_mapping(value)
        if value is None:
            raise AttributeError(
                f"this {owner.__name__!r} has no 'tool_call', because it was not created from a tool call"
            )
        return value

    def __set__(self, instance: BaseModel, value: object) -> None:
        vars(instance)["tool_call"] = value


def _unchanged(value: object) -> object:
    return value
