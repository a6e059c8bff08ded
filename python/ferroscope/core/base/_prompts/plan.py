"""The plan of a prompt function: all that is known about it before it is called.

A plan is created once, at decoration: the parameters are inspected, the template is parsed, and errors in it are
raised. One error is only raised by the calls: a variable that no call can give a value. Decoration emits a warning for
it. A call then consists of `bind`, the function itself, and `resolve`:

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
from types import NoneType
from typing import Any, Final

from pydantic import BaseModel

from ....errors import TemplateError, TemplateVariableError
from .._suggestions import function_name, near_name
from ..message_param import BaseMessageParam, is_content_part
from ..messages import message_content
from ..metadata import Metadata
from .callers import callers_level
from .checks import check_config, explain_no_prompt
from .template import Message, Template, parse_template

DOCSTRING_SWITCHES: Final = (
    "FERROSCOPE_DOCSTRING_PROMPT_TEMPLATE",
    "MIRASCOPE_DOCSTRING_PROMPT_TEMPLATE",  # keeps programs working that move from Mirascope
)

# The attribute of a function decorated with `prompt_template` that contains its plan.
_PLAN = "__ferroscope_prompt__"


@dataclass(frozen=True, slots=True)
class ResolvedPrompt:
    """The prompt of one call.

    Attributes:
        messages: The messages, in a new list that contains the caller's message objects.
        config: The returned dynamic config; a config with the messages if messages were returned; or None.
        fn_args: The arguments, including the computed fields that the template used.
    """

    messages: list[Message]
    config: dict[str, Any] | None
    fn_args: dict[str, Any]


def _with_messages(messages: list[Message], fn_args: dict[str, Any]) -> ResolvedPrompt:
    return ResolvedPrompt(messages, {"messages": messages}, fn_args)


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """The plan of a prompt function.

    Attributes:
        fn: The function that returns the prompt or the dynamic config.
        is_async: Whether its result is awaited.
        template: The string template, as `prompt_template` of the response.
        metadata: The metadata that `@metadata` attached to the function.
    """

    fn: Callable[..., Any]
    is_async: bool
    template: str | None
    metadata: Metadata | None
    _parsed: Template | None
    _variable_error: str | None
    _names: tuple[str, ...]
    _default_arguments: dict[str, Any] | None
    _is_left_out: bool  # the template, where the function returns a prompt
    _signature: inspect.Signature

    @property
    def name(self) -> str:
        """The name of the function."""
        return function_name(self.fn)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by name, including defaults, in a new dict.

        Missing arguments are left out; calling the function raises the usual error for them.

        Raises:
            TypeError: An argument is not a parameter of the function.
        """
        defaults = self._default_arguments
        if defaults is not None and len(args) <= len(self._names):
            bound = {**defaults, **dict(zip(self._names, args, strict=False)), **kwargs}
            # More names: an argument is not a parameter. A remaining placeholder: an argument is missing.
            if len(bound) == len(defaults) and _MISSING not in bound.values():
                return bound
        return self._bind_slowly(args, kwargs)

    def _bind_slowly(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        try:
            given = self._signature.bind_partial(*args, **kwargs)
        except TypeError as error:
            near = [near_name(name, self._signature.parameters) for name in kwargs.keys() - self._signature.parameters]
            hint = f" (did you mean `{near[0]}`?)" if near and near[0] else ""
            raise TypeError(f"{self.name}() {error}{hint}") from None
        given.apply_defaults()
        bound: dict[str, Any] = {}
        for name, value in given.arguments.items():
            if self._signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                bound.update(value)
            else:
                bound[name] = value
        return bound

    def resolve(self, fn_args: dict[str, Any], returned: Any) -> ResolvedPrompt:
        """Return the prompt that the function's result defines, without changing the result or `fn_args`.

        Raises:
            ValueError: The result is not a prompt, or there is no prompt.
            TemplateVariableError: A variable of the template has no value.
        """
        if self._is_left_out and not isinstance(returned, dict | NoneType):
            self._warn(f"`{self.name}` has a template and returned a prompt: the template is not sent")
        if type(returned) is str:
            return _with_messages([BaseMessageParam(role="user", content=returned)], fn_args)
        if returned is None:
            return ResolvedPrompt(self._render(fn_args, "None"), None, fn_args)
        if isinstance(returned, dict):
            return self._resolve_config(fn_args, returned)
        try:
            messages = message_list(returned)
        except ValueError as error:
            raise self._no_prompt(returned, error) from None
        if not messages:
            return ResolvedPrompt(self._render(fn_args, "an empty list"), None, fn_args)
        return _with_messages(messages, fn_args)

    def _no_prompt(self, returned: Any, error: ValueError) -> ValueError:
        why = explain_no_prompt(returned, self.fn)
        return ValueError(f"{error}; {why}") if why else ValueError(f"{error}; it is in what `{self.name}` returned")

    def _warn(self, message: str) -> None:
        warnings.warn(message, UserWarning, stacklevel=callers_level())

    def _resolve_config(self, fn_args: dict[str, Any], config: dict[str, Any]) -> ResolvedPrompt:
        check_config(config, self.fn)
        if messages := config.get("messages"):
            if isinstance(messages, Mapping):
                raise ValueError(
                    f'`messages` in the dict that `{self.name}` returned is one message: write "[...]" around'
                )
            return ResolvedPrompt(message_list(messages), config, fn_args)
        if messages is not None and self._parsed is not None:
            self._warn(f"`messages` in the dict that `{self.name}` returned is empty: the template is sent instead")
        computed = config.get("computed_fields")
        if computed:
            fn_args = {**fn_args, **computed}
        returned = "a dict with no messages" if messages is None else "a dict whose `messages` are empty"
        return ResolvedPrompt(self._render(fn_args, returned), config, fn_args)

    def _render(self, fn_args: dict[str, Any], returned: str) -> list[Message]:
        if self._parsed is None:
            raise ValueError(
                f"{missing_template_message(self.fn)} `{self.name}` returned {returned}: return the prompt, or set a "
                "template with `@prompt_template(...)`"
            )
        if self._variable_error is not None:
            raise TemplateVariableError(self._variable_error)
        return self._parsed.messages(fn_args)


class _Missing:
    __slots__ = ()
    # Compared by identity only, so the `==` of the caller's values is never called.


_MISSING: Final = _Missing()


def plan_prompt(fn: Callable[..., Any], template: str | None = None) -> PromptPlan:
    """Return the plan of a prompt function that is undecorated, decorated with `@prompt_template()`, or has a template.

    Raises:
        TemplateError: The template is invalid.
    """
    left = getattr(fn, _PLAN, None)
    if template is None and isinstance(left, _AttachedPlan) and left.owner is fn:
        return replace(left.plan, metadata=getattr(fn, "_metadata", None))
    is_async = fn_is_async(fn)
    signature = inspect.signature(fn)
    source = template if template is not None else _template_of(fn)
    parsed = parse_template(source) if source is not None else _parse_docstring(fn)
    variable_error = _unfillable_variable_message(fn, signature, parsed) if parsed is not None else None
    if variable_error is not None:
        warnings.warn(f"{variable_error}; every call will raise an error", UserWarning, stacklevel=callers_level())
    names, defaults = _argument_names(signature)
    return PromptPlan(
        fn=fn,
        is_async=is_async,
        template=parsed.source if parsed is not None else None,
        metadata=getattr(fn, "_metadata", None),
        _parsed=parsed,
        _variable_error=variable_error,
        _names=names,
        _default_arguments=defaults,
        _is_left_out=template is not None,
        _signature=signature,
    )


@dataclass(frozen=True, slots=True)
class _AttachedPlan:
    """A plan with the function that owns it. `functools.wraps` copies the attribute to functions that do not own it."""

    plan: PromptPlan
    owner: Callable[..., Any]


def attach_plan(plan: PromptPlan, owner: Callable[..., Any]) -> None:
    """Attach a plan to the function that renders it, so that a call decorator can use the plan."""
    setattr(owner, _PLAN, _AttachedPlan(plan, owner))


def fn_is_async(fn: Callable[..., Any]) -> bool:
    """Return whether a call of the function returns an awaitable, because it or a wrapped function is async."""
    layer: Any = fn
    while layer is not None:
        # A callable object may have an async `__call__` in its class.
        if inspect.iscoroutinefunction(layer) or inspect.iscoroutinefunction(type(layer).__call__):
            return True
        layer = getattr(layer, "__wrapped__", None)
    return False


def message_list(returned: Any) -> list[Message]:
    """Return the messages for a value: a list of messages, or the content of one user message."""
    if isinstance(returned, BaseMessageParam):
        return [returned]
    if isinstance(returned, str):
        return [BaseMessageParam(role="user", content=returned)]
    items: list[Any] | None = None
    if isinstance(returned, Iterable) and not isinstance(returned, BaseModel | bytes | dict):
        items = list(returned)
        if all(type(item) is BaseMessageParam or type(item) is dict for item in items):
            return items
        # Parts are models too; a list that contains parts is the content of one message.
        if all(isinstance(item, BaseModel | dict | Mapping) for item in items) and not any(
            is_content_part(item) for item in items
        ):
            return items
    content = message_content(returned if items is None else items)
    return [BaseMessageParam(role="user", content=content)]


def docstring_template(doc: str | None) -> str | None:
    """Return the docstring as a template if the environment enables that, else None."""
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
        # If the function has a body, its docstring may be ordinary documentation.
        if _returns_nothing(fn):
            raise
        return None


def missing_template_message(fn: object) -> str:
    """Return the error message for a missing prompt; it mentions a docstring that could be the template."""
    if getattr(fn, "__doc__", None):
        return (
            "No prompt template set! You must explicitly enable docstring prompt templates by setting "
            f"`{DOCSTRING_SWITCHES[0]}=ENABLED` in your environment."
        )
    return "No prompt template set!"


def _argument_names(signature: inspect.Signature) -> tuple[tuple[str, ...], dict[str, Any] | None]:
    """Return the positional names, and all names with their defaults; None if binding requires the signature."""
    positional: list[str] = []
    defaults: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        match parameter.kind:
            case inspect.Parameter.POSITIONAL_OR_KEYWORD:
                positional.append(name)
            case inspect.Parameter.KEYWORD_ONLY:
                pass
            case _:
                return (), None
        defaults[name] = _MISSING if parameter.default is inspect.Parameter.empty else parameter.default
    return tuple(positional), defaults


def _unfillable_variable_message(
    fn: Callable[..., Any], signature: inspect.Signature, template: Template
) -> str | None:
    """Return the error message for a variable that can be neither a parameter nor a computed field, else None."""
    parameters = signature.parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return None
    unknown = sorted(template.variables - signature.parameters.keys())
    if not unknown or not _returns_nothing(fn):
        return None
    names = ", ".join(repr(name) for name in signature.parameters) or "none"
    return (
        f"the template of {getattr(fn, '__qualname__', fn)!s} has the variable {unknown[0]!r}, which is not one of its "
        f"parameters ({names}) and cannot be a computed field, because the function returns nothing"
    )


def _empty() -> None: ...
def _described() -> None:
    """Do nothing. A function with only a template has the same code as one of these: no body, or only a docstring."""


async def _empty_async() -> None: ...
async def _described_async() -> None:
    """Do nothing, as an async function."""


_EMPTY_BODIES: Final = frozenset(fn.__code__.co_code for fn in (_empty, _described, _empty_async, _described_async))


def _returns_nothing(fn: Callable[..., Any]) -> bool:
    """Return whether the body is empty, so that no call can return computed fields."""
    code = getattr(inspect.unwrap(fn), "__code__", None)
    return fn is inspect.unwrap(fn) and code is not None and code.co_code in _EMPTY_BODIES
