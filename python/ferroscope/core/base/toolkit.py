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
# The maximum number of cached tool classes per method, one for each rendering of its docstring. The renderings depend
# on user input, so their number is unlimited.
_MAX_RENDERINGS: Final = 64

# A bound class keeps its toolkit alive, and an entry lives as long as its class, so no id is reused.
_bound: Final = WeakValueDictionary[tuple[int, "type[BaseTool]"], "type[BaseTool]"]()
_namespaces: Final = WeakValueDictionary[str, "type[BaseToolKit]"]()


class ToolKitToolMethod(NamedTuple):
    """A tool of a toolkit.

    Attributes:
        method: The decorated method, or the nested tool class.
        template_vars: The variables of its docstring, such as "self.reading_level".
        template: The docstring without its indentation.
    """

    method: Callable[..., Any] | type[BaseTool]  # Any: the tool's result
    template_vars: list[str]
    template: str


class BaseToolKit(BaseModel, ABC):
    '''A class whose methods marked with `@toolkit_tool` become tools that share its fields.

    The docstrings of the methods are templates with the variable `self`. With a `__namespace__`, the tools are named
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
                """Suggest a book for a reader of the level {self.reading_level}."""
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
        """Return the toolkit's tools, bound to this toolkit, in alphabetical order of the methods."""
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
        """Collect the tools of a new toolkit class.

        Raises:
            ValueError: The namespace belongs to another toolkit, a tool has no docstring, a docstring contains an
                unknown attribute, or there are no tools.
        """
        super().__pydantic_init_subclass__(**kwargs)
        _claim_namespace(cls)
        cls._toolkit_tool_methods = []
        for key in dir(cls):
            # Without attribute access, because pydantic's deprecated attributes emit a warning.
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
    """Mark a method (or a nested tool class) of a `BaseToolKit` as a tool."""
    setattr(method, _MARKER, True)
    return method


def is_toolkit_tool(method: object) -> bool:
    """Return whether a method or class is marked with `@toolkit_tool`."""
    return getattr(method, _MARKER, False) is True


def _is_tool_class(method: object) -> TypeIs[type[BaseTool]]:
    return isinstance(method, type) and issubclass(method, BaseTool)


def _claim_namespace(cls: type[BaseToolKit]) -> None:
    # A subclass that inherits a namespace shares it with its owner. A class that is defined again, for example in a
    # notebook cell, replaces the old one.
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
    """Return the template as texts, and pairs of a field as written and its variable.

    A docstring with braces other than those of variables (such as JSON in an example) is not a valid format string. In
    that case only `{self...}` counts as a field.
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
    # Fields other than `self` are kept as written: they may be variables of a template that will contain this
    # description.
    return "".join(
        part if isinstance(part, str) else part[0].format(self=toolkit) if re.match(r"self\b", part[1]) else part[0]
        for part in _parse(template)
    )


def _tool_type(toolkit: type[BaseToolKit], index: int, doc: str) -> type[BaseTool]:
    """Return the tool class of a method for one rendering of its docstring, not bound to a toolkit."""
    cache: dict[tuple[int, str], type[BaseTool]] | None = vars(toolkit).get("__tool_types__")
    if cache is None:
        cache = {}
        setattr(toolkit, "__tool_types__", cache)  # noqa: B010
    tool_type = cache.get((index, doc))
    if tool_type is None:
        method = toolkit._toolkit_tool_methods[index].method
        namespace = f"{toolkit.__namespace__}_" if toolkit.__namespace__ else ""
        if _is_tool_class(method):
            name = namespace + method._name() if namespace else None
            tool_type = tool_type_in_toolkit(method, doc=doc, name=name)
        else:
            tool_type = BaseTool._type_from_method(method, doc=doc, name=namespace + method.__name__)
        while len(cache) >= _MAX_RENDERINGS * len(toolkit._toolkit_tool_methods):
            cache.pop(next(iter(cache)), None)
        cache[index, doc] = tool_type
    return tool_type
