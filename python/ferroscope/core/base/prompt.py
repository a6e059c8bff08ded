"""Prompts as functions and as classes."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from inspect import Parameter, Signature
from typing import Any, ClassVar, Final, ParamSpec, Protocol, TypeAlias, TypeVar, cast, overload

from pydantic import BaseModel

from ...errors import TemplateError, TemplateVariableError
from ._prompts.callers import callers_level
from ._prompts.plan import attach_plan, docstring_template, missing_template_message, plan_prompt
from ._prompts.template import Template, parse_template, parse_text
from ._suggestions import function_name, shortened
from .dynamic_config import BaseDynamicConfig
from .message_param import BaseMessageParam
from .messages import Messages
from .metadata import Metadata

SUPPORTED_MESSAGE_ROLES: Final = ["system", "user", "assistant"]
"""The roles of a string template, besides `MESSAGES`."""

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")

# Any: the types of messages, parameters and clients depend on the provider.
AnyDynamicConfig: TypeAlias = BaseDynamicConfig[Any, Any, Any]
_ConfigT = TypeVar("_ConfigT", bound=AnyDynamicConfig)


class BasePrompt(BaseModel):
    """A prompt whose variables are the fields of a model.

    ```python
    @prompt_template("Recommend a {genre} book")
    class Recommendation(BasePrompt):
        genre: str


    prompt = Recommendation(genre="fantasy")
    print(prompt)
    # > Recommend a fantasy book
    print(prompt.message_params())
    # > [BaseMessageParam(role='user', content='Recommend a fantasy book')]
    response = prompt.run(openai.call("gpt-4o-mini"))
    ```

    A template's variables are the fields, the properties, and the computed fields of `dynamic_config`.
    """

    prompt_template: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Check a template that the class body sets, so that the class statement raises its errors."""
        super().__pydantic_init_subclass__(**kwargs)
        if isinstance(cls.__dict__.get("prompt_template"), str):
            _warn_of_variables(cls)

    def __str__(self) -> str:
        """Render the template as one text."""
        template = _class_template(type(self))
        return parse_text(template.source)(self._variables(template))

    def message_params(self) -> list[BaseMessageParam]:
        """Render the messages of the template."""
        template = _class_template(type(self))
        messages = template.messages(self._variables(template))
        # A `MESSAGES:` list may contain a provider's own messages, which are passed through.
        return cast(list[BaseMessageParam], messages)

    def dynamic_config(self) -> AnyDynamicConfig:
        """Return the dynamic config of the call; override this method to return one."""
        return None

    def dump(self) -> dict[str, Any]:
        """Return the metadata, the rendered prompt, the template and the inputs."""
        return {
            "metadata": self._own_metadata(self.dynamic_config()),
            "prompt": str(self),
            "template": _class_template(type(self)).source,
            "inputs": self.model_dump(),
        }

    def run(
        self,
        call_decorator: Callable[[Callable[..., AnyDynamicConfig]], Callable[..., _R]],
        *additional_decorators: Callable[[_T], _T],
    ) -> _R:
        """Call a model with this prompt. Additional decorators wrap the call."""
        _check_decorator(call_decorator, "run")
        config = self.dynamic_config()

        def prompt(**_fields: Any) -> AnyDynamicConfig:
            return config

        values = self._configure_function(prompt, config)
        decorated: Any = call_decorator(prompt)
        for decorator in additional_decorators:
            decorated = decorator(decorated)
        result: _R = decorated(**values)
        return result

    def run_async(
        self,
        call_decorator: Callable[[Callable[..., Awaitable[AnyDynamicConfig]]], Callable[..., Awaitable[_R]]],
        *additional_decorators: Callable[[_T], _T],
    ) -> Awaitable[_R]:
        """Call a model with this prompt asynchronously. Additional decorators wrap the call."""
        _check_decorator(call_decorator, "run_async")
        config = self.dynamic_config()

        async def prompt(**_fields: Any) -> AnyDynamicConfig:
            return config

        values = self._configure_function(prompt, config)
        decorated: Any = call_decorator(prompt)
        for decorator in additional_decorators:
            decorated = decorator(decorated)
        result: Awaitable[_R] = decorated(**values)
        return result

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    def _variables(self, template: Template) -> dict[str, Any]:
        values = self._fields()
        for name in template.variables - values.keys():
            if hasattr(type(self), name):
                values[name] = getattr(self, name)
        if not template.variables <= values.keys():
            values.update((self.dynamic_config() or {}).get("computed_fields", {}))
        return values

    def _own_metadata(self, config: Any) -> Metadata:
        own_metadata: Metadata | None = (config or {}).get("metadata", getattr(self, "_metadata", None))
        return own_metadata or {}

    def _configure_function(self, prompt: Any, config: Any) -> dict[str, Any]:
        """Give a function the name, signature and template of the class, and return its arguments."""
        kind = type(self)
        template = _class_template(kind)
        values = self._variables(template)
        prompt.__name__ = prompt.__qualname__ = kind.__name__
        prompt.__doc__, prompt.__module__ = kind.__doc__, kind.__module__
        prompt.__signature__ = Signature([Parameter(name, Parameter.KEYWORD_ONLY) for name in values])
        prompt._prompt_template = template.source
        prompt._metadata = self._own_metadata(config)
        return values


def _check_decorator(decorator: object, method: str) -> None:
    if _is_call(decorator) or not callable(decorator):
        what = f"the call `{function_name(decorator)}`" if callable(decorator) else shortened(decorator)
        raise TypeError(f'`{method}` takes a call decorator, such as `openai.call("a-model")`, not {what}')


_BasePromptT = TypeVar("_BasePromptT", bound=BasePrompt)


class PromptDecorator(Protocol):
    """The decorator that `prompt_template("...")` returns."""

    # Sync first: to mypy, a function without return annotation returns Any, which fits both overloads; it takes the
    # first. An async one returns a coroutine, which is no dynamic config.
    @overload
    def __call__(self, prompt: Callable[_P, AnyDynamicConfig]) -> Callable[_P, list[BaseMessageParam]]: ...
    @overload
    def __call__(
        self, prompt: Callable[_P, Awaitable[AnyDynamicConfig]]
    ) -> Callable[_P, Coroutine[Any, Any, list[BaseMessageParam]]]: ...
    @overload
    def __call__(self, prompt: type[_BasePromptT]) -> type[_BasePromptT]: ...


class MessagesDecorator(Protocol):
    """The decorator that `prompt_template()` returns."""

    # Sync first, as in `PromptDecorator`.
    @overload
    def __call__(self, prompt: Callable[_P, Messages.Type]) -> Callable[_P, list[BaseMessageParam]]: ...
    @overload
    def __call__(self, prompt: Callable[_P, _ConfigT]) -> Callable[_P, _ConfigT]: ...
    @overload
    def __call__(
        self, prompt: Callable[_P, Awaitable[Messages.Type]]
    ) -> Callable[_P, Coroutine[Any, Any, list[BaseMessageParam]]]: ...
    @overload
    def __call__(self, prompt: Callable[_P, Awaitable[_ConfigT]]) -> Callable[_P, Coroutine[Any, Any, _ConfigT]]: ...


@overload
def prompt_template(template: str) -> PromptDecorator: ...
@overload
def prompt_template(template: None = None) -> MessagesDecorator: ...
def prompt_template(template: str | None = None) -> PromptDecorator | MessagesDecorator:
    """Turn a function or a `BasePrompt` class into a prompt.

    With a template, the function's arguments are the template's variables, and the function returns a dynamic config or
    nothing. Without a template, the function returns the prompt itself. Called directly, the result returns the
    messages; below a call decorator, it provides the prompt of the call.

    ```python
    @prompt_template()
    def recommend(genre: str) -> str:
        return f"Recommend a {genre} book"


    print(recommend("fantasy"))
    # > [BaseMessageParam(role='user', content='Recommend a fantasy book')]
    ```

    Raises:
        TemplateError: The template is invalid.
        TypeError: The template is not text, such as the function itself if the parentheses are missing.
    """
    if template is not None and not isinstance(template, str):
        if callable(template):
            name = function_name(template)
            raise TypeError(f"@prompt_template needs parentheses: write `@prompt_template()` above `{name}`")
        raise TypeError(f"prompt_template() takes a template as text, not {shortened(template)}")

    def decorate(prompt: Any) -> Any:
        if _is_call(prompt):
            raise TemplateError(
                f"{prompt.__qualname__} is already a call; put @prompt_template below the call decorator"
            )
        if isinstance(prompt, type):
            return _decorate_class(prompt, template)
        return _decorate_function(prompt, template)

    return decorate


def _is_call(prompt: object) -> bool:
    return bool(getattr(prompt, "__mirascope_call__", False))


class MetadataDecorator(Protocol):
    """The decorator that `metadata(...)` returns."""

    @overload
    def __call__(self, prompt: type[_BasePromptT]) -> type[_BasePromptT]: ...
    @overload
    def __call__(self, prompt: Callable[_P, _R]) -> Callable[_P, _R]: ...


def metadata(metadata: Metadata) -> MetadataDecorator:
    """Attach metadata to a prompt; the responses of its calls contain it.

    ```python
    @openai.call("gpt-4o-mini")
    @metadata({"tags": {"version:0001", "books"}})
    def recommend(genre: str) -> str:
        return f"Recommend a {genre} book"
    ```
    """

    def decorate(prompt: Any) -> Any:
        if _is_call(prompt):
            warnings.warn(
                f"@metadata above the call decorator of {prompt.__qualname__} has no effect; put it below",
                stacklevel=2,
            )
        prompt._metadata = metadata
        return prompt

    return decorate


# -- functions ------------------------------------------------------------


def _decorate_function(fn: Callable[..., Any], template: str | None) -> Callable[..., Any]:
    plan = plan_prompt(fn, template)
    returns_config = template is None

    def finish(args: tuple[Any, ...], kwargs: dict[str, Any], returned: Any) -> Any:
        if returns_config and isinstance(returned, dict):
            return returned
        return plan.resolve(plan.bind(args, kwargs), returned).messages

    rendered: Any
    if plan.is_async:

        @wraps(fn)
        async def rendered_async(*args: Any, **kwargs: Any) -> Any:
            return finish(args, kwargs, await fn(*args, **kwargs))

        rendered = rendered_async
    else:

        @wraps(fn)
        def rendered_sync(*args: Any, **kwargs: Any) -> Any:
            return finish(args, kwargs, fn(*args, **kwargs))

        rendered = rendered_sync
    if plan.template is not None:
        rendered._prompt_template = plan.template
    rendered._original_fn = fn
    attach_plan(plan, rendered)
    return rendered  # type: ignore[no-any-return]  # pyright: ignore


# -- classes ------------------------------------------------------------


def _decorate_class(prompt: type[BaseModel], template: str | None) -> type[BaseModel]:
    if template is None:
        raise TemplateError(
            f'@prompt_template() on the class {prompt.__name__} requires a template: @prompt_template("...")'
        )
    prompt._prompt_template = parse_template(template).source  # type: ignore[attr-defined]  # pyright: ignore
    _warn_of_variables(prompt)
    return prompt


def _warn_of_variables(kind: type[BaseModel]) -> None:
    """Parse the template of a class, and warn of a variable that no instance can give a value."""
    try:
        _class_template(kind)
    except TemplateVariableError as error:
        warnings.warn(f"{error}; rendering it will raise an error", UserWarning, stacklevel=callers_level())


def _class_template(kind: type[BaseModel]) -> Template:
    """Return the template of a class, after checking its variables."""
    source = getattr(kind, "prompt_template", None) or getattr(kind, "_prompt_template", None)
    if source is None:
        # An inherited docstring describes another class.
        source = docstring_template(kind.__dict__.get("__doc__"))
    if source is None:
        raise ValueError(missing_template_message(kind))
    template = parse_template(source)
    unknown = sorted(name for name in template.variables if not _has_attribute(kind, name))
    if unknown and getattr(kind, "dynamic_config", None) in (None, BasePrompt.dynamic_config):
        fields = ", ".join(repr(name) for name in kind.model_fields) or "none"
        raise TemplateVariableError(
            f"the template of {kind.__qualname__} has the variable {unknown[0]!r}, which is neither one of its "
            f"fields ({fields}) nor a property"
        )
    return template


def _has_attribute(kind: type[BaseModel], name: str) -> bool:
    return name in kind.model_fields or hasattr(kind, name)
