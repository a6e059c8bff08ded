"""Partial models, for data that is still being received: all fields are optional, also in nested models."""

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

# An attribute of the model, so that a model and its partial classes are garbage-collected together.
_ATTRIBUTE = "__partial_types__"

# The class that pydantic leaves in the annotations of a recursive generic model.
_REFERENCE = "PydanticRecursiveRef"

# The attributes of a field that its partial counterpart keeps. Annotation, default and discriminator change.
_COPIED_ATTRIBUTES = (
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
    """Return `Partial<Name>`: a subclass of the model in which all fields are optional and default to None.

    Nested models become partial too, also inside lists, dicts, unions and other generics. The class is cached. A model
    may be recursive.

    ```python
    class Book(BaseModel):
        title: str
        authors: list[Author]


    PartialBook = partial(Book)  # title: str | None = None, authors: list[PartialAuthor | None] | None = None
    issubclass(PartialBook, Book)  # True
    ```

    Args:
        wrapped_class: The model.
        preserve_fields: The names of fields to keep unchanged.
    """
    preserved = frozenset(preserve_fields or ())
    cached = _cached_types(wrapped_class).get(preserved)
    if cached is None:
        builder = _Builder()
        cached = builder.build(wrapped_class, preserved)
        builder.complete()
    return cast("type[ModelT]", cached)


def partial_annotation(annotation: Any) -> Any:
    """Return the annotation with every model replaced by its partial model."""
    builder = _Builder()
    done = builder.inside(annotation)
    builder.complete()
    return done


def unaliased(annotation: Any) -> Any:
    """Return the annotation that a `type X = ...` statement defines; other annotations are returned as they are."""
    # Compare the name: `typing` and `typing_extensions` may have different classes of this name.
    while type(annotation).__name__ == "TypeAliasType":
        annotation = annotation.__value__
    return annotation


def is_recursive(annotation: Any, inside: tuple[Any, ...] = ()) -> bool:
    """Return whether a type alias refers to itself. Pydantic can validate it, but it cannot be expanded."""
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
    """Return a field's annotation, with the class itself in place of pydantic's reference to a recursive generic."""
    annotation = model.model_fields[name].annotation
    return _resolve_references(annotation, model) if _REFERENCE in repr(annotation) else annotation


def _resolve_references(annotation: Any, model: type[BaseModel]) -> Any:
    if type(annotation).__name__ == _REFERENCE:
        return model
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return Annotated[(_resolve_references(arguments[0], model), *arguments[1:])]
    if origin is None or not arguments or origin in (Literal, Callable):
        return annotation
    inner = [_resolve_references(argument, model) for argument in arguments]
    return reduce(or_, inner) if origin in (Union, types.UnionType) else origin[tuple(inner)]


def _cached_types(model: type[BaseModel]) -> dict[frozenset[str], type[BaseModel]]:
    cached: dict[frozenset[str], type[BaseModel]] | None = vars(model).get(_ATTRIBUTE)
    if cached is None:
        cached = {}
        setattr(model, _ATTRIBUTE, cached)
    return cached


class _Builder:
    """The builder of the classes for one call. A recursive model becomes a forward reference at first."""

    def __init__(self) -> None:
        self._open: dict[type[BaseModel], str] = {}
        self._built: dict[str, Any] = {}

    def build(self, model: type[BaseModel], preserved: frozenset[str] = frozenset()) -> type[BaseModel]:
        cached = _cached_types(model).get(preserved)
        if cached is not None:
            return cached
        if not model.__pydantic_complete__:
            model.model_rebuild()
        name = f"partial_{len(self._open)}_{len(self._built)}"
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
        built: type[BaseModel] = create_model(
            f"Partial{model.__name__}",
            __base__=model,
            __module__=model.__module__,
            __doc__=model.__doc__,
            **fields,
        )
        del self._open[model]
        self._built[name] = built
        _cached_types(model)[preserved] = built
        return built

    def complete(self) -> None:
        """Resolve the forward references, after all classes have been created."""
        for built in self._built.values():
            if not built.__pydantic_complete__:
                built.model_rebuild(_types_namespace=self._built)

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
            return self.build(annotation)
        arguments = get_args(annotation)
        if origin is Annotated:
            # A discriminator requires a field that is always present.
            marks = [m for m in arguments[1:] if not (isinstance(m, FieldInfo) and m.discriminator is not None)]
            inner = self.inside(arguments[0])
            return Annotated[(inner, *marks)] if marks else inner
        if origin in (Union, types.UnionType):
            return reduce(or_, (self.inside(argument) for argument in arguments))
        if not arguments or origin in (Literal, type, Callable):
            return annotation
        # A defaultdict creates its default values from their type, so that must not become optional.
        built = self.inside if origin is defaultdict else self._optional
        generic: Any = origin
        return generic[tuple(a if a is ... else built(a) for a in arguments)]

    def _optional(self, annotation: Any) -> Any:
        inner = self.inside(annotation)
        return inner if inner is Any or isinstance(inner, TypeVar) else inner | None


def _without_default(field: FieldInfo) -> Any:
    copied = {name: value for name in _COPIED_ATTRIBUTES if (value := getattr(field, name, None)) is not None}
    return Field(default=None, repr=field.repr, **copied)
