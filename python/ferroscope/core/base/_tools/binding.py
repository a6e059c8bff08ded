"""The binding of a tool class to the object whose method it calls.

Programs often create a toolkit or an agent for every call. Building a pydantic class each time would take longer than
the rest of the call. The classes differ only in one reference. So the pydantic class is built once, and a bound class
is a plain subclass of it: it inherits fields, validator and schemas, and its instances refer to the object.
"""

from __future__ import annotations

from abc import ABCMeta
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from ..tool import BaseTool

_ToolT = TypeVar("_ToolT", bound="BaseTool")


def bind_tool_type(unbound: type[_ToolT], receiver: object, *first: type[BaseTool]) -> type[_ToolT]:
    """Return a subclass of `first` and `unbound` that is bound to the receiver."""
    namespace: dict[str, object] = {
        "__doc__": unbound.__doc__,
        "__module__": unbound.__module__,
        "__qualname__": unbound.__qualname__,
        "__unbound__": unbound,
        # In a tuple, so that a receiver with `__get__` is not treated as a descriptor.
        "__receiver__": (receiver,),
    }
    # Bypass pydantic's metaclass, because `unbound` already has everything that it creates.
    bound: type[_ToolT] = ABCMeta.__new__(type(unbound), unbound.__name__, (*first, unbound), namespace)
    bound.__pydantic_validator__ = cast("Any", _BoundValidator(bound, unbound.__pydantic_validator__))
    return bound


def unbound_tool_type(tool: type[_ToolT]) -> type[_ToolT] | None:
    """Return the class that a bound class was created from; None for other classes."""
    return vars(tool).get("__unbound__")


class _BoundValidator:
    """The validator of the unbound class, which creates instances of the bound class."""

    __slots__ = ("_tool", "_validator")

    def __init__(self, tool: type[BaseTool], validator: Any) -> None:  # Any: pydantic-core's, or a plugin's
        self._tool = tool
        self._validator = validator

    def __getattr__(self, name: str) -> Any:  # Any: the type of the validator's attribute
        return getattr(self._validator, name)

    # Any: pydantic's options, which differ between its versions.
    def validate_python(self, value: object, **options: Any) -> object:
        if isinstance(value, self._tool):
            return value
        return self._validator.validate_python(value, **self._with_instance(options))

    def validate_json(self, value: str | bytes | bytearray, **options: Any) -> object:
        return self._validator.validate_json(value, **self._with_instance(options))

    def validate_strings(self, value: object, **options: Any) -> object:
        # The only one of the three methods without the option `self_instance`.
        made = self._validator.validate_strings(value, **options)
        return self._tool.model_construct(made.model_fields_set, **made.__dict__)

    def _with_instance(self, options: dict[str, Any]) -> dict[str, Any]:
        if options.get("self_instance") is None:
            options["self_instance"] = self._tool.__new__(self._tool)
        return options
