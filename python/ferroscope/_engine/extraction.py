"""What a response model asks for, and how an answer becomes one: planned once, at decoration."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError, create_model

from .._core import JsonError
from ..core.base.call_response import BaseCallResponse
from ..core.base.from_call_args import is_from_call_args
from ..core.base.tool import BaseTool, provider_tool_type
from ..errors import ResponseModelError
from .partial import PartialReader
from .provider import Provider

# Any: a response model may be any type, and what it makes is of that type.
_Response = BaseCallResponse[Any, Any, Any, Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Extraction:
    """A response model, understood.

    Attributes:
        target: What the user wrote: a model, a builtin, `list[str]`, `X | None`, …
        model: The model that the answer is read as; what is no model itself is its field `value`.
        tool: The same as a tool of the provider, for answers that come as a call.
        way: Whether the answer comes as a call of that tool, or as JSON in the text.
        strict: Whether the provider is held to the schema.
        from_call: The fields that the call's arguments fill.
    """

    target: Any
    model: type[BaseModel]
    tool: type[BaseTool]
    way: Literal["tool", "json"]
    strict: bool
    from_call: tuple[str, ...]

    def given(self, fn_args: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that the call's arguments fill.

        Raises:
            ValueError: An argument is missing.
        """
        missing = [name for name in self.from_call if name not in fn_args]
        if missing:
            raise ValueError(
                f"{self.model.__name__} takes {', '.join(missing)} from the call's arguments (`FromCallArgs`), "
                f"which are {', '.join(fn_args) or 'none'}"
            )
        return {name: fn_args[name] for name in self.from_call}

    def reader(self, fn_args: Mapping[str, Any]) -> PartialReader[Any]:
        """What reads the text of an answer."""
        return PartialReader(self.model, given=self.given(fn_args))

    def shown(self, value: Any) -> Any:
        """What the user sees of an instance of `model`."""
        return value if self.model is self.target else getattr(value, "value", None)

    def read(self, text: str, fn_args: Mapping[str, Any], response: _Response) -> Any:
        """The result of a whole answer."""
        reader = self.reader(fn_args)
        try:
            reader.feed(text)
        except JsonError as error:
            raise self._malformed(error, text, response) from None
        return self.finish(reader, text, response)

    def finish(self, reader: PartialReader[Any], text: str, response: _Response) -> Any:
        """The result of an answer that has been fed.

        Raises:
            ferroscope.errors.ResponseModelError: The text is not the JSON that it should be.
            pydantic.ValidationError: It is not what the response model wants.
        """
        try:
            result = reader.finish()
        except JsonError as error:
            raise self._malformed(error, text, response) from None
        except ValidationError as error:
            error._response = response  # type: ignore[attr-defined]  # v1's way to the response
            raise
        result = self.shown(result)
        if isinstance(result, BaseModel):
            result._response = response  # type: ignore[attr-defined]
        return result

    def _malformed(self, error: JsonError, text: str, response: _Response) -> ResponseModelError:
        return ResponseModelError(f"the answer is not a {self.model.__name__}: {error}", text=text, response=response)


def plan_extraction(target: Any, provider: Provider, *, json_mode: bool, has_tools: bool) -> Extraction:
    """Understand a response model.

    Raises:
        ValueError: It is not a type that an answer could be.
    """
    is_model = isinstance(target, type) and issubclass(target, BaseModel)
    if is_model:
        model, tool = target, provider_tool_type(target, provider.tool)
    else:
        if not _is_type(target):
            raise ValueError(f"`response_model` is a model or another type of an answer, not {target!r}")
        tool = provider.tool.type_from_base_type(target)
        model = create_model(tool._name(), value=(target, ...))
    strict = is_model and bool(model.model_config.get("strict"))
    # With other tools to choose from, the answer cannot be forced into a call of its own.
    way: Literal["tool", "json"] = "json" if json_mode or has_tools else "tool"
    if strict and way == "tool":
        warnings.warn(
            "You must set `json_mode=True` to use `strict=True` response models. "
            "Ignoring `strict` and using tools for extraction.",
            UserWarning,
            stacklevel=6,
        )
    from_call = tuple(name for name, field in model.model_fields.items() if is_from_call_args(field))
    return Extraction(target, model, tool, way, strict, from_call)


def _is_type(target: Any) -> bool:
    return isinstance(target, type) or hasattr(target, "__origin__") or hasattr(target, "__args__")
