"""Binds a tool class to the object whose method it calls.

A toolkit or an agent is often made anew for every call, and building a pydantic class each time would cost
more than the rest of the call. What differs is one reference, so the pydantic class is built once and a
bound class is a plain subclass of it: it inherits fields, validator and schemas, and its instances know the
object.
"""

from __future__ import annotations

from abc import ABCMeta
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from ..tool import BaseTool

_ToolT = TypeVar("_ToolT", bound="BaseTool")


def bind_tool_type(unbound: type[_ToolT], receiver: object, *first: type[BaseTool]) -> type[_ToolT]:
    """Returns a subclass of `unbound` (and before it, of the classes `first`) bound to the receiver."""
    namespace: dict[str, object] = {
        "__doc__": unbound.__doc__,
        "__module__": unbound.__module__,
        "__qualname__": unbound.__qualname__,
        "__unbound__": unbound,
        # In a tuple, so that a receiver that is itself a descriptor is left alone.
        "__receiver__": (receiver,),
    }
    # Past pydantic's metaclass, whose work has been done for `unbound`.
    bound: type[_ToolT] = ABCMeta.__new__(type(unbound), unbound.__name__, (*first, unbound), namespace)
    bound.__pydantic_validator__ = cast("Any", _BoundValidator(bound, unbound.__pydantic_validator__))
    return bound


def unbound_tool_type(tool: type[_ToolT]) -> type[_ToolT] | None:
    """Returns the class that a bound class was made from; None of every other class."""
    return vars(tool).get("__unbound__")


class _BoundValidator:
    """The validator of the unbound class, making instances of the bound one."""

    __slots__ = ("_tool", "_validator")

    def __init__(self, tool: type[BaseTool], validator: Any) -> None:  # Any: pydantic-core's, or a plugin's
        self._tool = tool
        self._validator = validator

    def __getattr__(self, name: str) -> Any:  # Any: whatever the validator has under the name
        return getattr(self._validator, name)

    # Any: the arguments are pydantic's own and differ between its versions.
    def validate_python(self, value: object, **options: Any) -> object:
        if isinstance(value, self._tool):
            return value
        return self._validator.validate_python(value, **self._made_here(options))

    def validate_json(self, value: str | bytes | bytearray, **options: Any) -> object:
        return self._validator.validate_json(value, **self._made_here(options))

    def validate_strings(self, value: object, **options: Any) -> object:
        # Alone of the three it takes no instance to fill.
        made = self._validator.validate_strings(value, **options)
        return self._tool.model_construct(made.model_fields_set, **made.__dict__)

    def _made_here(self, options: dict[str, Any]) -> dict[str, Any]:
        if options.get("self_instance") is None:
            options["self_instance"] = self._tool.__new__(self._tool)
        return options
