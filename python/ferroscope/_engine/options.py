"""The options of a call decorator, written once: names, types, documentation and checks."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypedDict, TypeVar

from ..core.base.retry import RateLimit, Retry
from ..core.base.stream_config import StreamConfig
from ..core.base.tool import BaseTool

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    rate_limit: How much may be sent in a minute."""


def check_options(options: Iterable[str], decorator: str) -> None:
    """Check the names of the options of a decorator.

    Raises:
        TypeError: An option does not exist. The message suggests the right one.
    """
    for name in options:
        if name in OPTION_NAMES:
            continue
        near = difflib.get_close_matches(name, OPTION_NAMES, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f'pass `call_params={{"{name}": ...}}`'
        raise TypeError(f"{decorator}() got an unexpected option `{name}`: {hint}")


def check_model(model: object, decorator: str) -> None:
    """Check that a decorator has the name of a model.

    Raises:
        TypeError: The argument is something else, such as the function itself if the parentheses are missing.
    """
    if isinstance(model, str) and model:
        return
    if callable(model):
        name = getattr(model, "__name__", "the function")
        raise TypeError(f'{decorator} needs a model: write `@{decorator}("a-model")` above `{name}`')
    raise TypeError(f"{decorator}() needs the name of a model as a string, not {model!r}")
