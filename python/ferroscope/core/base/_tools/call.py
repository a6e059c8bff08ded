"""A finished tool call as plain data, turned into the SDK's own object only when somebody looks."""

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
    """The beginning of a text that grows: its first pieces, joined when somebody looks."""

    pieces: list[str]
    count: int

    def __str__(self) -> str:
        return "".join(self.pieces[: self.count])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PendingToolCall(ABC, Generic[SdkToolCallT]):
    """A tool call that has not become an SDK object yet.

    It compares, prints and serialises as the object that it becomes, so that nobody can tell whether
    `tool_call` was read before.
    """

    id: str | None
    name: str
    text: str | Fragments

    @property
    def arguments(self) -> str:
        """The arguments as JSON text, as far as they are known."""
        return str(self.text)

    @abstractmethod
    def build(self) -> SdkToolCallT:
        """Makes the SDK's object."""

    @classmethod
    @abstractmethod
    def from_mapping(cls, value: Mapping[str, object]) -> SdkToolCallT:
        """Makes the SDK's object from a dict of its fields."""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PendingToolCall):
            return (self.id, self.name, self.arguments) == (other.id, other.name, other.arguments)
        return self.build() == other

    def __hash__(self) -> int:
        return hash((self.id, self.name, self.arguments))

    def __repr__(self) -> str:
        return repr(self.build())


def _dump(value: object) -> object:
    if isinstance(value, PendingToolCall):
        value = value.build()
    return value.model_dump() if isinstance(value, BaseModel) else value


# The SDK's class cannot be named here at run time: that would import the SDK. Static types come from the
# provider's tool class.
LazyToolCall = Annotated[SkipJsonSchema[Any], PlainSerializer(_dump)]
"""The run-time type of a provider tool's field `tool_call`."""


class ToolCallAttribute:
    """The attribute `tool_call` of a provider's tool: builds the SDK's object at its first reading.

    A data descriptor, because only those go before the instance's `__dict__`, where pydantic keeps fields.
    On the class it is absent, as pydantic expects of a field without a class-level value.
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
            raise AttributeError(f"this {owner.__name__!r} was constructed directly, not from a tool call")
        return value

    def __set__(self, instance: BaseModel, value: object) -> None:
        vars(instance)["tool_call"] = value
