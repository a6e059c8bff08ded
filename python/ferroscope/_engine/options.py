"""The options of a call decorator, written once: names, types, documentation and checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, TypeAlias, TypedDict, TypeVar, cast

from ..cache import Cache
from ..core.base._suggestions import near_name, shortened
from ..core.base.call_params import CommonCallParams
from ..core.base.retry import RateLimit, Retry
from ..core.base.stream_config import StreamConfig
from ..core.base.tool import BaseTool
from .option_checks import check_values

_ClientT = TypeVar("_ClientT")
_ParamsT = TypeVar("_ParamsT")

# Any: functions of the caller, with arbitrary parameters and results.
Tools: TypeAlias = Sequence[type[BaseTool] | Callable[..., Any]]
Parser: TypeAlias = Callable[[Any], Any]


class SharedOptions(TypedDict, Generic[_ClientT, _ParamsT], total=False):
    """The options that do not affect the type of the result."""

    json_mode: bool
    client: _ClientT | None
    call_params: _ParamsT | None
    retry: int | Retry | None
    rate_limit: RateLimit | None
    cache: Cache | Literal["memory"] | None


class CallOptions(SharedOptions[object, Mapping[str, Any]], total=False):
    """All options of a call decorator except provider and model."""

    stream: bool | StreamConfig
    tools: Tools | None
    response_model: Any  # Any: a type form
    output_parser: Parser | None


OPTION_NAMES: Final = tuple(CallOptions.__annotations__)

OPTIONS_DOC: Final = """\
    stream: Whether to stream the response; a `StreamConfig` such as `{"partial_tools": True}` also configures it.
    tools: The tools that the model may call: functions, tool classes, pydantic models.
    response_model: The type of the result: a model, a builtin, `list[str]`, a union, an enum, ...
    output_parser: A function of the response; the call returns its result.
    json_mode: Whether to ask for JSON.
    client: The SDK's client; by default one that is created once and reused.
    call_params: The parameters of the request: the provider's own, or those that all providers share.
    retry: How often the request may be sent after failures: a number, or a `Retry`.
    rate_limit: How much may be sent in a minute.
    cache: A cache that answers repeated requests: `"memory"`, or one of `ferroscope.cache`."""


_COMMON_PARAMETERS: Final = tuple(CommonCallParams.__annotations__)

# Options of other libraries, and what has their place here.
_ELSEWHERE: Final = {
    "messages": "return the messages from the function",
    "prompt": "return the prompt from the function",
    "system": "return `[Messages.System(...), Messages.User(...)]` from the function",
    "response_format": "write `response_model=...`",
    "api_key": "set the provider's environment variable, or pass `client=`",
    "base_url": "pass `client=`",
    "timeout": 'pass `client=`, or for streams `stream={"total_timeout": ...}`',
}


def check_options(options: Mapping[str, Any], decorator: str, others: tuple[str, ...] = ()) -> None:
    """Check the options of a decorator.

    Args:
        options: The options, by name.
        decorator: The name of the decorator, for error messages.
        others: The names of its other parameters, which may be misspelt too.

    Raises:
        TypeError: There is no such option, or its value is of the wrong kind; the message names what to write.
        ValueError: A value is outside its range, or a key of a `StreamConfig` is unknown.
    """
    for name in options:
        if name not in OPTION_NAMES:
            raise TypeError(f"{decorator}() got an unexpected option `{name}`: {_instead(name, others)}")
    check_values(options, decorator)


def _instead(name: str, others: tuple[str, ...]) -> str:
    if (elsewhere := _ELSEWHERE.get(name)) is not None:
        return elsewhere
    if name in _COMMON_PARAMETERS:
        return f'write `call_params={{"{name}": ...}}`'
    near = near_name(name, (*OPTION_NAMES, *others, *_COMMON_PARAMETERS))
    if near in OPTION_NAMES or near in others:
        return f"did you mean `{near}`?"
    return f'write `call_params={{"{near or name}": ...}}`'


def read_model(args: tuple[object, ...], options: dict[str, Any], decorator: str) -> str:
    """Return the model that a decorator of one provider was given, and take it out of the options.

    Raises:
        TypeError: There is none, or something else, such as the function itself where the parentheses are missing.
    """
    if len(args) > 1:
        raise TypeError(
            f"{decorator}() takes the model alone without its name, and got {len(args)} arguments: write the options "
            "by name, such as `stream=True`"
        )
    if args and "model" in options:
        raise TypeError(f"{decorator}() got the model twice: {args[0]!r} and model={options['model']!r}")
    if not args and "model" not in options:
        raise TypeError(f'{decorator}() needs the name of a model: write `@{decorator}("a-model")`')
    model = args[0] if args else options.pop("model")
    check_model(model, decorator)
    return cast("str", model)


def check_model(model: object, decorator: str) -> None:
    """Check the model that a decorator was given.

    Raises:
        TypeError: It is something else, such as the function itself where the parentheses are missing.
    """
    if isinstance(model, str) and model:
        return
    if callable(model):
        name = getattr(model, "__name__", "the function")
        raise TypeError(f'{decorator} needs a model: write `@{decorator}("a-model")` above `{name}`')
    raise TypeError(f"{decorator}() needs the name of a model as a string, not {model!r}")


def check_provider(provider: object, model: object) -> None:
    """Check the provider that `llm.call` was given; None is one that the program has not set.

    Raises:
        TypeError: It is something else, such as the function itself where the parentheses are missing.
    """
    if provider is None or (isinstance(provider, str) and provider):
        return
    if callable(provider) and model is None:
        name = getattr(provider, "__name__", "the function")
        raise TypeError(f'llm.call needs a provider and a model: write `@llm.call("openai", "a-model")` above `{name}`')
    raise TypeError(f'llm.call() needs the name of a provider as a string, such as "openai", not {shortened(provider)}')
