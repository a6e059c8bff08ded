"""The rules for showing a partial value of a type, derived once for each type."""

from __future__ import annotations

import json
import types
from collections.abc import (
    Callable,
    Iterable,
    Mapping,
    MutableMapping,
    MutableSequence,
    Sequence,
)
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Union,
    cast,
    get_args,
    get_origin,
)

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    JsonValue,
    PlainValidator,
    RootModel,
    TypeAdapter,
    WrapValidator,
)
from pydantic.errors import PydanticUserError

from ...core.base._partial import field_annotation, is_recursive, partial, partial_annotation, unaliased

if TYPE_CHECKING:
    from pydantic import ConfigDict
    from pydantic.fields import FieldInfo

_ATTRIBUTE = "__partial_plan__"

_LISTS = (list, Sequence, MutableSequence, Iterable)
_DICTS = (dict, Mapping, MutableMapping)
_SCALARS: Final[tuple[Any, ...]] = (str, int, float, bool)
_VALIDATORS: Final[dict[str, Any]] = {
    "before": BeforeValidator,
    "after": AfterValidator,
    "wrap": WrapValidator,
    "plain": PlainValidator,
}


class Hidden(Enum):
    """The marker for a complete value that does not fit the declared type, and is not shown."""

    HIDDEN = auto()


HIDDEN: Final = Hidden.HIDDEN


class Shape(Enum):
    """The way in which a value grows."""

    LEAF = auto()
    """Not at all, or as text."""
    MODEL = auto()
    LIST = auto()
    DICT = auto()
    ANY = auto()
    """Any JSON, unchanged."""
    REVALIDATED = auto()
    """By validation of the whole value after each change: unions, sets, tuples."""


Check = Callable[[Any], Any]


@dataclass(slots=True, eq=False)
class Plan:
    """The rule for one annotation."""

    shape: Shape
    text: bool = False
    """Whether a growing string is shown."""
    exact: type | None = None
    """The type that needs no check: a complete value of exactly this type is valid."""
    item: Plan | None = None
    """The plan for the items of a list, or the values of a dict."""
    model: ModelPlan | None = None
    types: tuple[Any, ...] = ()
    """The types for checking a complete value: the annotation of the whole field first, then its bare type."""
    config: ConfigDict | None = None
    _checks: list[Check] | None = None

    def complete(self, value: Any) -> Any:
        """Return a complete value as it is shown, or `HIDDEN`."""
        if self._checks is None:
            self._checks = [check for annotation in self.types if (check := _check(annotation, self.config))]
        for check in self._checks:
            # A user's validator may raise anything, and an incomplete value must not stop the stream.
            with suppress(Exception):
                return check(value)
        return value if self.shape is Shape.ANY and not self.types else HIDDEN


@dataclass(slots=True, eq=False)
class ModelPlan:
    """The rules for the fields of one model."""

    cls: type[BaseModel]
    fields: dict[str, tuple[str, Plan]] = field(default_factory=dict)
    """The field name and its plan, by JSON key."""
    blank: dict[str, Any] = field(default_factory=dict)
    keeps_extra: bool = False


ANY: Final = Plan(Shape.ANY, text=True)
ANY.item = ANY


def plan_of(target: Any) -> Plan:
    """Return the plan of a model or of another annotation. That of a model is created once."""
    if isinstance(target, type) and issubclass(target, BaseModel) and not issubclass(target, RootModel):
        return Plan(Shape.MODEL, model=model_plan(target))
    return _plan(target, (), (), None)


def model_plan(model: type[BaseModel]) -> ModelPlan:
    """Return the plan of a model's partial class."""
    known: ModelPlan | None = vars(model).get(_ATTRIBUTE)
    if known is not None:
        return known
    cls = partial(model)
    plan = ModelPlan(cls, keeps_extra=model.model_config.get("extra") == "allow")
    # Register the plan before its fields, because a model may contain itself.
    setattr(model, _ATTRIBUTE, plan)
    for name, info in model.model_fields.items():
        plan.blank[name] = None
        marks = [
            _VALIDATORS[decorator.info.mode](decorator.func)
            for decorator in model.__pydantic_decorators__.field_validators.values()
            if name in decorator.info.fields or "*" in decorator.info.fields
        ]
        shown = _plan(field_annotation(model, name), tuple(info.metadata), tuple(marks), model.model_config)
        for key in _keys(name, info, model.model_config):
            plan.fields[key] = (name, shown)
    return plan


def _keys(name: str, info: FieldInfo, config: ConfigDict) -> list[str]:
    """Return the JSON keys that fill a field.

    A field that is filled from a nested value (`AliasPath`) appears only at the end.
    """
    alias = info.validation_alias
    if alias is None:
        return [name]
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    keys = [choice for choice in choices if isinstance(choice, str)]
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    return [*keys, name] if by_name else keys


def _plan(
    annotation: Any,
    metadata: tuple[Any, ...],
    validators: tuple[Any, ...],
    config: ConfigDict | None,
) -> Plan:
    if annotation is JsonValue:
        return ANY
    if is_recursive(annotation):
        return Plan(Shape.REVALIDATED, text=True, types=(annotation,), config=config)
    annotation = unaliased(annotation)
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return _plan(inner, (*marks, *metadata), validators, config)
    alternatives = _alternatives(annotation)
    present = [alternative for alternative in alternatives if alternative is not type(None)]
    only = unaliased(present[0]) if len(present) == 1 else None
    if get_origin(only) is Annotated and len(alternatives) > 1:
        inner, *marks = get_args(only)
        return _plan(inner | None, (*marks, *metadata), validators, config)
    marked = (*metadata, *validators)
    whole = Annotated[(annotation, *marked)] if marked else annotation
    checked = (whole, annotation) if marked else (annotation,)

    if only in (Any, object):
        return Plan(
            Shape.ANY,
            text=True,
            item=ANY,
            types=checked if marked else (),
            config=config,
        )
    if only is None and present:
        text = any(alternative in (str, Any) for alternative in map(_bare, present))
        if any(_grows(alternative) for alternative in present):
            return Plan(
                Shape.REVALIDATED,
                text=text,
                types=(partial_annotation(annotation),),
                config=config,
            )
        return Plan(Shape.LEAF, text=text, types=checked, config=config)
    origin = get_origin(only) or only
    arguments = get_args(only)
    if isinstance(origin, type) and issubclass(origin, BaseModel):
        if issubclass(origin, RootModel):
            return Plan(Shape.REVALIDATED, types=(partial_annotation(annotation),), config=config)
        return Plan(
            Shape.MODEL,
            model=model_plan(cast("type[BaseModel]", only)),
            types=_null_only(alternatives),
        )
    if origin in _LISTS or (origin in _DICTS and (not arguments or arguments[0] in (str, Any))):
        item = _plan(arguments[-1], (), (), config) if arguments else ANY
        shape = Shape.LIST if origin in _LISTS else Shape.DICT
        # Containers of models were checked item by item. Their own check would require complete models.
        types_ = _null_only(alternatives) if _holds_model(only) else checked
        return Plan(shape, item=item, types=types_, config=config)
    if origin in _SCALARS:
        exact = None if marked or (config or {}).get("str_strip_whitespace") else origin
        return Plan(Shape.LEAF, text=origin is str, exact=exact, types=checked, config=config)
    if _grows(only):
        shown = (partial_annotation(annotation),) if _holds_model(only) else checked
        return Plan(Shape.REVALIDATED, types=shown, config=config)
    return Plan(Shape.LEAF, types=checked, config=config)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _null_only(alternatives: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the check of a container whose items were checked one by one: at most `null`."""
    return (None,) if type(None) in alternatives else ()


def _bare(annotation: Any) -> Any:
    annotation = unaliased(annotation)
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def _grows(annotation: Any) -> bool:
    """Return whether values of this type have parts."""
    annotation = _bare(annotation)
    if len(_alternatives(annotation)) > 1:
        return any(_grows(alternative) for alternative in _alternatives(annotation))
    origin = get_origin(annotation) or annotation
    containers = (list, dict, set, frozenset, tuple, BaseModel, Iterable, Mapping)
    return isinstance(origin, type) and issubclass(origin, containers) and not issubclass(origin, (str, bytes, Enum))


def _holds_model(annotation: Any) -> bool:
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(_holds_model(argument) for argument in get_args(annotation))


def _check(annotation: Any, config: ConfigDict | None) -> Check | None:
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=config)
    except PydanticUserError:
        # Types with a configuration of their own accept no other.
        adapter = TypeAdapter(annotation)
    if (config or {}).get("strict"):
        # Strict validation accepts strings for types that JSON lacks (dates) only in JSON text.
        return lambda value: adapter.validate_json(json.dumps(value))
    return adapter.validate_python
