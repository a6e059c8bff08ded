"""Everything about a prompt function that can be known before it is called.

A plan is made once, at decoration: the parameters are inspected, the template is read, mistakes in it are raised.
One mistake concerns no more than the calls of its function: a variable that no call can give a value. Decoration
warns of it, and the call raises. A call then is `bind`, the function itself, and `resolve`:

    plan = plan_prompt(fn)
    fn_args = plan.bind(args, kwargs)
    prompt = plan.resolve(fn_args, plan.fn(*args, **kwargs))    # or: await plan.fn(...)
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel

from ....errors import TemplateError, TemplateVariableError
from ..message_param import BaseMessageParam, is_content_part
from ..messages import message_content
from ..metadata import Metadata
from .callers import callers_level
from .template import Message, Template, parse_template

DOCSTRING_SWITCHES: Final = (
    "FERROSCOPE_DOCSTRING_PROMPT_TEMPLATE",
    "MIRASCOPE_DOCSTRING_PROMPT_TEMPLATE",  # so that a program that moves over keeps working
)

# Where `prompt_template` leaves the plan, on the function that it returns and on that alone.
_PLAN = "__ferroscope_prompt__"


@dataclass(frozen=True, slots=True)
class ResolvedPrompt:
    """What one call's prompt function said.

    Attributes:
        messages: The messages, in a list of our own; the message objects are the caller's.
        config: The dynamic config as it was returned; of returned messages, one that has them; or None.
        fn_args: The arguments, with the computed fields that the template used.
    """

    messages: list[Message]
    config: dict[str, Any] | None
    fn_args: dict[str, Any]


def _with_messages(messages: list[Message], fn_args: dict[str, Any]) -> ResolvedPrompt:
    return ResolvedPrompt(messages, {"messages": messages}, fn_args)


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """A prompt function, understood.

    Attributes:
        fn: What is called to get the prompt or the dynamic config.
        is_async: Whether its result is awaited.
        template: The string template, as the response's `prompt_template` shows it.
        metadata: What `@metadata` noted on it.
    """

    fn: Callable[..., Any]
    is_async: bool
    template: str | None
    metadata: Metadata | None
    _parsed: Template | None
    _no_value: str | None
    _names: tuple[str, ...]
    _blank: dict[str, Any] | None
    _signature: inspect.Signature

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name, defaults filled in; the dict is new.

        Arguments that are missing are left out: calling the function gives the usual error.

        Raises:
            TypeError: An argument is not the function's.
        """
        blank = self._blank
        if blank is not None and len(args) <= len(self._names):
            bound = {**blank, **dict(zip(self._names, args, strict=False)), **kwargs}
            # Longer: an argument that is not the function's. A mark left: one that is missing.
            if len(bound) == len(blank) and _MISSING not in bound.values():
                return bound
        return self._bind_slowly(args, kwargs)

    def _bind_slowly(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        given = self._signature.bind_partial(*args, **kwargs)
        given.apply_defaults()
        bound: dict[str, Any] = {}
        for name, value in given.arguments.items():
            if self._signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                bound.update(value)
            else:
                bound[name] = value
        return bound

    def resolve(self, fn_args: dict[str, Any], returned: Any) -> ResolvedPrompt:
        """Read what the function returned; neither it nor `fn_args` is changed.

        Raises:
            ValueError: It is no prompt, or there is none.
            TemplateVariableError: A variable of the template has no value.
        """
        if type(returned) is str:
            return _with_messages([BaseMessageParam(role="user", content=returned)], fn_args)
        if returned is None:
            return ResolvedPrompt(self._render(fn_args), None, fn_args)
        if isinstance(returned, dict):
            return self._resolve_config(fn_args, returned)
        messages = message_list(returned)
        return _with_messages(messages, fn_args) if messages else ResolvedPrompt(self._render(fn_args), None, fn_args)

    def _resolve_config(self, fn_args: dict[str, Any], config: dict[str, Any]) -> ResolvedPrompt:
        if config.get("messages"):
            return ResolvedPrompt(message_list(config["messages"]), config, fn_args)
        computed = config.get("computed_fields")
        if computed:
            fn_args = {**fn_args, **computed}
        return ResolvedPrompt(self._render(fn_args), config, fn_args)

    def _render(self, fn_args: dict[str, Any]) -> list[Message]:
        if self._parsed is None:
            raise ValueError(no_template(self.fn))
        if self._no_value is not None:
            raise TemplateVariableError(self._no_value)
        return self._parsed.messages(fn_args)


class _Missing:
    __slots__ = ()
    # Compared with the caller's values by identity only, whatever their `==` does.


_MISSING: Final = _Missing()


def plan_prompt(fn: Callable[..., Any], template: str | None = None) -> PromptPlan:
    """Understand a prompt function: undecorated, under `@prompt_template()`, or with a template.

    Raises:
        TemplateError: The template has a mistake.
    """
    left = getattr(fn, _PLAN, None)
    if template is None and isinstance(left, _AttachedPlan) and left.owner is fn:
        return replace(left.plan, metadata=getattr(fn, "_metadata", None))
    is_async = fn_is_async(fn)
    signature = inspect.signature(fn)
    source = template if template is not None else _template_of(fn)
    parsed = parse_template(source) if source is not None else _parse_docstring(fn)
    no_value = _without_value(fn, signature, parsed) if parsed is not None else None
    if no_value is not None:
        warnings.warn(f"{no_value}; every call will raise", UserWarning, stacklevel=callers_level())
    names, blank = _shape(signature)
    return PromptPlan(
        fn=fn,
        is_async=is_async,
        template=parsed.source if parsed is not None else None,
        metadata=getattr(fn, "_metadata", None),
        _parsed=parsed,
        _no_value=no_value,
        _names=names,
        _blank=blank,
        _signature=signature,
    )


@dataclass(frozen=True, slots=True)
class _AttachedPlan:
    """A plan and the function it was left on: `functools.wraps` copies the one, and not the other."""

    plan: PromptPlan
    owner: Callable[..., Any]


def leave_plan(plan: PromptPlan, owner: Callable[..., Any]) -> None:
    """Note on a function that it renders this plan, so that a call decorator can go on from the plan."""
    setattr(owner, _PLAN, _AttachedPlan(plan, owner))


def fn_is_async(fn: Callable[..., Any]) -> bool:
    """Whether calling it gives an awaitable: it, or a function that it wraps, is a coroutine function."""
    layer: Any = fn
    while layer is not None:
        # An object may be called through a coroutine method of its class.
        if inspect.iscoroutinefunction(layer) or inspect.iscoroutinefunction(type(layer).__call__):
            return True
        layer = getattr(layer, "__wrapped__", None)
    return False


def message_list(returned: Any) -> list[Message]:
    """The messages that a value means: a list of messages, or what one user message is made of."""
    if isinstance(returned, BaseMessageParam):
        return [returned]
    if isinstance(returned, str):
        return [BaseMessageParam(role="user", content=returned)]
    items: list[Any] | None = None
    if isinstance(returned, Iterable) and not isinstance(returned, BaseModel | bytes | dict):
        items = list(returned)
        if all(type(item) is BaseMessageParam or type(item) is dict for item in items):
            return items
        # Parts are models too; a list of nothing but parts is one message, not many.
        if all(isinstance(item, BaseModel | dict | Mapping) for item in items) and not any(
            is_content_part(item) for item in items
        ):
            return items
    content = message_content(returned if items is None else items)
    return [BaseMessageParam(role="user", content=content)]


def docstring_template(doc: str | None) -> str | None:
    """The docstring as a template, where the environment allows that."""
    if doc and any(os.environ.get(switch) == "ENABLED" for switch in DOCSTRING_SWITCHES):
        return doc
    return None


def _template_of(fn: Callable[..., Any]) -> str | None:
    for name in ("prompt_template", "_prompt_template"):
        source = getattr(fn, name, None)
        if isinstance(source, str):
            return source
    return None


def _parse_docstring(fn: Callable[..., Any]) -> Template | None:
    source = docstring_template(getattr(fn, "__doc__", None))
    try:
        return parse_template(source) if source is not None else None
    except TemplateError:
        # Where the body returns the prompt, the docstring may be only what docstrings are for.
        if _returns_nothing(fn):
            raise
        return None


def no_template(fn: object) -> str:
    """The message for a prompt that says nothing; a docstring that could have been meant is mentioned."""
    if getattr(fn, "__doc__", None):
        return (
            "No prompt template set! You must explicitly enable docstring prompt templates by setting "
            f"`{DOCSTRING_SWITCHES[0]}=ENABLED` in your environment."
        )
    return "No prompt template set!"


def _shape(signature: inspect.Signature) -> tuple[tuple[str, ...], dict[str, Any] | None]:
    """The positional names, and all names with their defaults; None where binding needs the signature."""
    positional: list[str] = []
    blank: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        match parameter.kind:
            case inspect.Parameter.POSITIONAL_OR_KEYWORD:
                positional.append(name)
            case inspect.Parameter.KEYWORD_ONLY:
                pass
            case _:
                return (), None
        blank[name] = _MISSING if parameter.default is inspect.Parameter.empty else parameter.default
    return tuple(positional), blank


def _without_value(fn: Callable[..., Any], signature: inspect.Signature, template: Template) -> str | None:
    """Return the message for a variable that no call can give a value: no parameter, and no computed field either."""
    parameters = signature.parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return None
    unknown = sorted(template.variables - signature.parameters.keys())
    if not unknown or not _returns_nothing(fn):
        return None
    names = ", ".join(repr(name) for name in signature.parameters) or "none"
    return (
        f"the template of {getattr(fn, '__qualname__', fn)!s} has the variable {unknown[0]!r}, which is none of its "
        f"parameters ({names}) and cannot be a computed field, because the function returns nothing"
    )


def _empty() -> None: ...
def _described() -> None:
    """A template's function has no body, or only a docstring; these are what they compile to."""


async def _empty_async() -> None: ...
async def _described_async() -> None:
    """The same, asynchronous."""


_EMPTY_BODIES: Final = frozenset(fn.__code__.co_code for fn in (_empty, _described, _empty_async, _described_async))


def _returns_nothing(fn: Callable[..., Any]) -> bool:
    """Whether the body is empty, so that no call can return computed fields."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    return fn is inspect.unwrap(fn) and code is not None and code.co_code in _EMPTY_BODIES
