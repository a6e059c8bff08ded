"""Toolkits: tools that share state, as the decorated methods of one class."""

from __future__ import annotations

import functools
import inspect
import re
from abc import ABC
from collections.abc import Callable
from string import Formatter
from typing import Any, ClassVar, Concatenate, Final, NamedTuple, ParamSpec, TypeVar, overload
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypeIs

from ._tools.binding import bind_tool_type
from ._tools.tool_type import tool_type_in_toolkit
from .tool import BaseTool

__all__ = ["BaseToolKit", "ToolKitToolMethod", "is_toolkit_tool", "toolkit_tool"]

_P = ParamSpec("_P")

_MARKER: Final = "__toolkit_tool_method__"
_SELF_FIELD: Final = re.compile(r"(\{self\b[^{}]*\})")
# Renderings of one docstring that are kept as classes. Toolkits take their values from users, so the
# number of renderings has no bound of its own.
_KEPT_RENDERINGS: Final = 64

# A bound class keeps its toolkit alive, and an entry lives as long as its class: no id is ever reused.
_bound: Final = WeakValueDictionary[tuple[int, "type[BaseTool]"], "type[BaseTool]"]()
_namespaces: Final = WeakValueDictionary[str, "type[BaseToolKit]"]()


class ToolKitToolMethod(NamedTuple):
    """One tool of a toolkit.

    Attributes:
        method: The decorated method, or the nested tool class.
        template_vars: The variables of its docstring, such as "self.reading_level".
        template: The docstring, cleaned.
    """

    method: Callable[..., Any] | type[BaseTool]  # Any: whatever the tool returns
    template_vars: list[str]
    template: str


class BaseToolKit(BaseModel, ABC):
    '''A class whose methods marked with `@toolkit_tool` become tools that share its fields.

    Docstrings of the methods are templates over `self`. With a `__namespace__` the tools are called
    `<namespace>_<method>`.

    Example:
        ```python
        from typing import ClassVar, Literal

        from ferroscope.core import BaseToolKit, openai, toolkit_tool


        class BookTools(BaseToolKit):
            __namespace__: ClassVar[str | None] = "book_tools"
            reading_level: Literal["beginner", "advanced"]

            @toolkit_tool
            def suggest(self, title: str, author: str) -> str:
                """Suggests a book for a reader of the level {self.reading_level}."""
                return f"{title} by {author}, good for {self.reading_level}s"


        @openai.call("gpt-4o-mini")
        def recommend_book(genre: str) -> openai.OpenAIDynamicConfig:
            return {
                "messages": [Messages.User(f"Recommend a {genre} book")],
                "tools": BookTools(reading_level="beginner").create_tools(),
            }
        ```
    '''

    model_config = ConfigDict(arbitrary_types_allowed=True)
    _toolkit_tool_methods: ClassVar[list[ToolKitToolMethod]]
    __namespace__: ClassVar[str | None] = None

    def create_tools(self) -> list[type[BaseTool]]:
        """Returns the toolkit's tools in alphabetical order of the methods, bound to this toolkit."""
        tools: list[type[BaseTool]] = []
        for index, method in enumerate(self._toolkit_tool_methods):
            tool = _tool_type(type(self), index, _render(method.template, self))
            bound = _bound.get((id(self), tool))
            if bound is None:
                bound = _bound[id(self), tool] = bind_tool_type(tool, self)
            tools.append(bound)
        return tools

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:  # Any: pydantic's class keywords
        """Collects the tools of a new toolkit.

        Raises:
            ValueError: Its namespace belongs to another toolkit, a tool has no docstring or one that names
                an attribute that is not there, or there are no tools.
        """
        super().__pydantic_init_subclass__(**kwargs)
        _claim_namespace(cls)
        cls._toolkit_tool_methods = []
        for key in dir(cls):
            # Statically, because pydantic's deprecated attributes warn when they are read.
            found = inspect.getattr_static(cls, key, None)
            if is_toolkit_tool(found) or is_toolkit_tool(getattr(found, "__func__", None)):
                cls._toolkit_tool_methods.append(_read_method(cls, getattr(cls, key)))
        is_abstract = ABC in cls.__bases__ or any(
            ABC in base.__bases__ for base in cls.__bases__ if base is not BaseToolKit
        )
        if not cls._toolkit_tool_methods and not is_abstract:
            raise ValueError("No toolkit_tool method found")


_ToolKitT = TypeVar("_ToolKitT", bound=BaseToolKit)
_ToolT = TypeVar("_ToolT", bound=BaseTool)
_ResultT = TypeVar("_ResultT")


@overload
def toolkit_tool(
    method: Callable[Concatenate[_ToolKitT, _P], _ResultT],
) -> Callable[Concatenate[_ToolKitT, _P], _ResultT]: ...
@overload
def toolkit_tool(method: type[_ToolT]) -> type[_ToolT]: ...
def toolkit_tool(
    method: Callable[Concatenate[_ToolKitT, _P], _ResultT] | type[_ToolT],
) -> Callable[Concatenate[_ToolKitT, _P], _ResultT] | type[_ToolT]:
    """Marks a method (or a nested tool class) of a `BaseToolKit` as one of its tools."""
    setattr(method, _MARKER, True)
    return method


def is_toolkit_tool(method: object) -> bool:
    """Whether `@toolkit_tool` marks the method or class."""
    return getattr(method, _MARKER, False) is True


def _is_tool_class(method: object) -> TypeIs[type[BaseTool]]:
    return isinstance(method, type) and issubclass(method, BaseTool)


def _claim_namespace(cls: type[BaseToolKit]) -> None:
    # A subclass that only inherits a namespace refines its owner; and the same class defined again, as in
    # a notebook cell that is run twice, takes its own name over.
    namespace: str | None = vars(cls).get("__namespace__")
    if not namespace:
        return
    owner = _namespaces.get(namespace)
    if owner is not None and (owner.__module__, owner.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(f"The namespace {namespace} is already used")
    _namespaces[namespace] = cls


def _read_method(cls: type[BaseToolKit], method: Callable[..., Any] | type[BaseTool]) -> ToolKitToolMethod:
    if method.__doc__ is None:
        raise ValueError("The toolkit_tool method must have a docstring")
    template = inspect.cleandoc(method.__doc__)
    variables = [part[1] for part in _parse(template) if isinstance(part, tuple)]
    for variable in variables:
        head, _, rest = variable.partition(".")
        if head != "self" or not rest:
            continue
        name = re.split(r"[.\[]", rest, maxsplit=1)[0]
        if name not in cls.model_fields and name not in cls.__private_attributes__ and not hasattr(cls, name):
            raise ValueError(f"The toolkit_tool method template variable {variable} is not found in the class")
    return ToolKitToolMethod(method, variables, template)


@functools.lru_cache(maxsize=256)
def _parse(template: str) -> tuple[str | tuple[str, str], ...]:
    """The template as text and, in between, pairs of a field as written and its variable.

    A docstring with other braces than those of variables (JSON in an example) is no format string; in it
    only what reads `{self...}` is a field.
    """
    try:
        parsed = list(Formatter().parse(template))
    except ValueError:
        parsed = []
    names = [name for _, name, _, _ in parsed if name is not None]
    if not parsed or not all(re.fullmatch(r"[A-Za-z_]\w*([.\[].*)?", name) for name in names):
        pieces = enumerate(_SELF_FIELD.split(template))
        return tuple(
            (piece, re.split(r"[!:}]", piece[1:], maxsplit=1)[0]) if index % 2 else piece for index, piece in pieces
        )
    parts: list[str | tuple[str, str]] = []
    for text, name, spec, conversion in parsed:
        parts.append(text)
        if name is not None:
            written = f"{name}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}"
            parts.append((f"{{{written}}}", name))
    return tuple(parts)


def _render(template: str, toolkit: BaseToolKit) -> str:
    # What is not about `self` stays as it is written: it may be a variable of a template that this
    # description becomes part of.
    return "".join(
        part if isinstance(part, str) else part[0].format(self=toolkit) if re.match(r"self\b", part[1]) else part[0]
        for part in _parse(template)
    )


def _tool_type(toolkit: type[BaseToolKit], index: int, doc: str) -> type[BaseTool]:
    """The tool class of one method with one rendering of its docstring; not bound to any toolkit yet."""
    cache: dict[tuple[int, str], type[BaseTool]] | None = vars(toolkit).get("__tool_types__")
    if cache is None:
        cache = {}
        setattr(toolkit, "__tool_types__", cache)  # noqa: B010
    made = cache.get((index, doc))
    if made is None:
        method = toolkit._toolkit_tool_methods[index].method
        namespace = f"{toolkit.__namespace__}_" if toolkit.__namespace__ else ""
        if _is_tool_class(method):
            name = namespace + method._name() if namespace else None
            made = tool_type_in_toolkit(method, doc=doc, name=name)
        else:
            made = BaseTool._type_from_method(method, doc=doc, name=namespace + method.__name__)
        while len(cache) >= _KEPT_RENDERINGS * len(toolkit._toolkit_tool_methods):
            cache.pop(next(iter(cache)), None)
        cache[index, doc] = made
    return made
