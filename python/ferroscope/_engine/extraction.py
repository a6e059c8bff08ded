"""The plan for a response model, made once, at decoration."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from pydantic import BaseModel, RootModel, create_model
from pydantic.errors import PydanticUserError

from ..core.base._prompts.callers import callers_level
from ..core.base._tools.field import fields_of
from ..core.base.from_call_args import is_from_call_args
from ..core.base.tool import BaseTool, provider_tool_type


class HasTools(Protocol):
    """A provider's record, or another object with the base class of its tools."""

    @property
    def tool(self) -> type[BaseTool]:
        """The base class of the provider's tools."""
        ...


@dataclass(frozen=True, slots=True)
class Extraction:
    """The plan for the structured answer of a response model.

    Attributes:
        target: The response model as the user wrote it: a model, a builtin, `list[str]`, `X | None`, ...
        model: The model of the answer. A type that is not a JSON object becomes its only field, `value`.
        tool: The same model as a tool of the provider, for answers in a tool call.
        mode: Whether the answer is a call of that tool, or JSON in the text.
        strict: Whether the provider must enforce the schema.
        from_call: The fields that the call's arguments fill.
    """

    target: Any  # Any: a type form
    model: type[BaseModel]
    tool: type[BaseTool]
    mode: Literal["tool", "json"]
    strict: bool
    from_call: tuple[str, ...]

    @property
    def is_wrapped(self) -> bool:
        """Whether the answer is the field `value` of the model, and not the model itself."""
        return self.model is not self.target

    @property
    def title(self) -> str:
        """The name of the type, for messages."""
        return self.target.__name__ if isinstance(self.target, type) else repr(self.target).replace("typing.", "")

    def as_json_mode(self) -> Extraction:
        """Return the plan for an answer as JSON in the text.

        It is used where no tool call can be forced: beside other tools, or with a thinking model.
        """
        return self if self.mode == "json" else replace(self, mode="json")

    def prefilled_fields(self, fn_args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of the fields that the call's arguments fill.

        Raises:
            ValueError: An argument is missing.
        """
        missing = [name for name in self.from_call if name not in fn_args]
        if missing:
            call_args_fields = set(self.from_call)
            raise ValueError(
                f"{self.title} takes {', '.join(map(repr, missing))} from the call's arguments (`FromCallArgs`), "
                "but the function has no such parameter: add it. "
                f"fn_args={dict(fn_args)}, {call_args_fields=}"
            )
        return {name: fn_args[name] for name in self.from_call}


def plan_extraction(target: Any, provider: HasTools, *, json_mode: bool, has_tools: bool) -> Extraction:
    """Return the plan for a response model.

    Raises:
        ValueError: The response model is not a type that an answer could have.
    """
    if isinstance(target, type) and issubclass(target, BaseModel) and not issubclass(target, RootModel):
        model, tool = target, provider_tool_type(target, provider.tool)
        if not model.__pydantic_complete__:
            model.model_rebuild(raise_errors=False)
    else:
        tool, model = _wrapper(target, provider)
    is_strict = isinstance(target, type) and issubclass(target, BaseModel) and target.model_config.get("strict")
    # The tool class of a provider without strict schemas does not support `strict`.
    strict = bool(is_strict) and tool.__supports_strict__
    mode: Literal["tool", "json"] = "json" if json_mode or has_tools else "tool"
    if strict and mode == "tool":
        warnings.warn(
            "You must set `json_mode=True` to use `strict=True` response models. "
            "Ignoring `strict` and using tools for extraction.",
            UserWarning,
            stacklevel=callers_level(),
        )
    from_call = tuple(name for name, field in fields_of(model).items() if is_from_call_args(field))
    return Extraction(target, model, tool, mode, strict, from_call)


def _wrapper(target: Any, provider: HasTools) -> tuple[type[BaseTool], type[BaseModel]]:
    """Return the tool and the model that have the type as their field `value`."""
    if not _is_type(target):
        what = f"an instance of {type(target).__name__}" if isinstance(target, BaseModel) else repr(target)
        raise ValueError(
            f"`response_model` is {what}: pass the type of the answer, such as a pydantic model, "
            "`int`, `list[str]`, an Enum, a Literal or a union"
        )
    try:
        tool = provider.tool.type_from_base_type(target)
        return tool, create_model(tool._name(), value=(target, ...))
    except PydanticUserError as error:
        raise ValueError(
            f"`response_model={target!r}` cannot be read from JSON: pass a pydantic model, or a type "
            f"that pydantic can validate ({error})"
        ) from error


def _is_type(target: Any) -> bool:
    if isinstance(target, type) or hasattr(target, "__origin__") or hasattr(target, "__args__"):
        return True
    # `type X = ...` and `NewType` are neither.
    return hasattr(target, "__value__") or hasattr(target, "__supertype__")
