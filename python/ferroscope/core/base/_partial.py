"""Classes for models that are still being written: every field optional, all the way down."""

from __future__ import annotations

import types
from collections import defaultdict
from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

ModelT = TypeVar("ModelT", bound=BaseModel)

# On the model itself, so that a model and its partial classes are collected together.
_ATTRIBUTE = "__partial_types__"

# What pydantic leaves in the annotations of a generic model that contains itself.
_REFERENCE = "PydanticRecursiveRef"

# What of a field its partial twin takes over. Its annotation, default and discriminator change.
_KEPT = (
    "alias",
    "alias_priority",
    "validation_alias",
    "serialization_alias",
    "title",
    "description",
    "examples",
    "exclude",
    "deprecated",
    "json_schema_extra",
    "frozen",
)


def partial(wrapped_class: type[ModelT], preserve_fields: set[str] | None = None) -> type[ModelT]:
    """Returns `Partial<Name>`: a subclass of the model whose fields are all optional, None by default.

    Nested models become partial too, also inside lists, dicts, unions and other generics. The class is made
    once and returned again. A model may contain itself.

    ```python
    class Book(BaseModel):
        title: str
        authors: list[Author]


    PartialBook = partial(Book)  # title: str | None = None, authors: list[PartialAuthor | None] | None = None
    issubclass(PartialBook, Book)  # True
    ```

    Args:
        wrapped_class: The model.
        preserve_fields: Names of fields to leave as they are.
    """
    preserved = frozenset(preserve_fields or ())
    known = _known(wrapped_class).get(preserved)
    if known is None:
        builder = _Builder()
        known = builder.make(wrapped_class, preserved)
        builder.complete()
    return cast("type[ModelT]", known)


def partial_annotation(annotation: Any) -> Any:
    """Returns the annotation with partial models in place of the models inside it."""
    builder = _Builder()
    done = builder.inside(annotation)
    builder.complete()
    return done


def unaliased(annotation: Any) -> Any:
    """Returns what a `type X = ...` statement names, any other annotation as it is."""
    # By name: the class stands in `typing` or in `typing_extensions`, and the two are not always the same.
    while type(annotation).__name__ == "TypeAliasType":
        annotation = annotation.__value__
    return annotation


def is_recursive(annotation: Any, inside: tuple[Any, ...] = ()) -> bool:
    """Whether a type alias mentions itself: pydantic can check it, but nobody can unfold it."""
    if isinstance(annotation, str | ForwardRef) or any(annotation is alias for alias in inside):
        return True
    bare = unaliased(annotation)
    if bare is not annotation:
        inside = (*inside, annotation)
    origin, arguments = get_origin(bare), get_args(bare)
    if origin is Literal:
        return False
    if origin is Annotated:
        arguments = arguments[:1]
    return any(is_recursive(argument, inside) for argument in arguments)


def field_annotation(model: type[BaseModel], name: str) -> Any:
    """Returns a field's annotation. A generic model that contains itself stands there as itself, not as a reference."""
    annotation = model.model_fields[name].annotation
    return _dereferred(annotation, model) if _REFERENCE in repr(annotation) else annotation


def _dereferred(annotation: Any, model: type[BaseModel]) -> Any:
    if type(annotation).__name__ == _REFERENCE:
        return model
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return Annotated[(_dereferred(arguments[0], model), *arguments[1:])]
    if origin is None or not arguments or origin in (Literal, Callable):
        return annotation
    inner = [_dereferred(argument, model) for argument in arguments]
    return reduce(or_, inner) if origin in (Union, types.UnionType) else origin[tuple(inner)]


def _known(model: type[BaseModel]) -> dict[frozenset[str], type[BaseModel]]:
    known: dict[frozenset[str], type[BaseModel]] | None = vars(model).get(_ATTRIBUTE)
    if known is None:
        known = {}
        setattr(model, _ATTRIBUTE, known)
    return known


class _Builder:
    """Makes the classes that one call needs; a model met again inside itself is first a forward reference."""

    def __init__(self) -> None:
        self._open: dict[type[BaseModel], str] = {}
        self._made: dict[str, Any] = {}

    def make(self, model: type[BaseModel], preserved: frozenset[str] = frozenset()) -> type[BaseModel]:
        known = _known(model).get(preserved)
        if known is not None:
            return known
        if not model.__pydantic_complete__:
            model.model_rebuild()
        name = f"partial_{len(self._open)}_{len(self._made)}"
        self._open[model] = name
        fields: dict[str, Any] = {}
        for field_name, field in model.model_fields.items():
            if field_name in preserved:
                fields[field_name] = (field.annotation, field)
            else:
                annotation = self._optional(field_annotation(model, field_name))
                if field.metadata:
                    annotation = Annotated[(annotation, *field.metadata)]
                fields[field_name] = (annotation, _without_default(field))
        made: type[BaseModel] = create_model(
            f"Partial{model.__name__}",
            __base__=model,
            __module__=model.__module__,
            __doc__=model.__doc__,
            **fields,
        )
        del self._open[model]
        self._made[name] = made
        _known(model)[preserved] = made
        return made

    def complete(self) -> None:
        """Resolves the forward references, now that every class is there."""
        for made in self._made.values():
            if not made.__pydantic_complete__:
                made.model_rebuild(_types_namespace=self._made)

    def inside(self, annotation: Any) -> Any:
        if is_recursive(annotation):
            return annotation
        annotation = unaliased(annotation)
        origin = get_origin(annotation)
        if origin is None:
            if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
                return annotation
            if annotation in self._open:
                return ForwardRef(self._open[annotation])
            return self.make(annotation)
        arguments = get_args(annotation)
        if origin is Annotated:
            # A discriminator wants a field that is always there.
            marks = [m for m in arguments[1:] if not (isinstance(m, FieldInfo) and m.discriminator is not None)]
            inner = self.inside(arguments[0])
            return Annotated[(inner, *marks)] if marks else inner
        if origin in (Union, types.UnionType):
            return reduce(or_, (self.inside(argument) for argument in arguments))
        if not arguments or origin in (Literal, type, Callable):
            return annotation
        # A defaultdict makes its default values from their type.
        made = self.inside if origin is defaultdict else self._optional
        generic: Any = origin
        return generic[tuple(a if a is ... else made(a) for a in arguments)]

    def _optional(self, annotation: Any) -> Any:
        inner = self.inside(annotation)
        return inner if inner is Any or isinstance(inner, TypeVar) else inner | None


def _without_default(field: FieldInfo) -> Any:
    kept = {name: value for name in _KEPT if (value := getattr(field, name, None)) is not None}
    return Field(default=None, repr=field.repr, **kept)
