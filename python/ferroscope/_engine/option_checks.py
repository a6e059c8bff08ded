"""Checks of a decorator's options, made once when the decorator is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel

from ..core.base._suggestions import function_name, shortened, suggestion
from ..core.base._tools.mistakes import explain_no_tools
from ..core.base.stream_config import Every, Limits, StreamConfig

_TIMEOUTS: Final = ("first_chunk_timeout", "idle_timeout", "total_timeout")
# What the decorator itself decides, and how.
_NOT_PARAMETERS: Final = {
    "stream": "write `stream=True` as an option of the decorator",
    "model": "the model is the decorator's own argument",
    "messages": "return the messages from the function",
}


def check_values(options: Mapping[str, Any], decorator: str) -> None:
    """Check the values of a decorator's options.

    Args:
        options: The options, by name; None is a value of each.
        decorator: The name of the decorator, for error messages.

    Raises:
        TypeError: A value is of the wrong kind; the message names the option and what to write instead.
        ValueError: A value is outside its range, or a key of a `StreamConfig` is unknown.
    """
    _check_stream(options.get("stream"), decorator)
    tools = options.get("tools")
    if tools is not None and (why := explain_no_tools(tools)) is not None:
        raise TypeError(f"{decorator}(tools=...) has {why}")
    json_mode = options.get("json_mode")
    if json_mode is not None and not isinstance(json_mode, bool | int):
        raise TypeError(
            f"{decorator}(json_mode=...) is True or False, not {shortened(json_mode)}; a format of the provider goes "
            'into `call_params={"response_format": ...}`'
        )
    _check_parser(options.get("output_parser"), decorator)
    check_client(options.get("client"), f"{decorator}(client=...)")
    call_params = options.get("call_params")
    if call_params is not None:
        check_call_params(call_params, f"{decorator}()")


def check_call_params(call_params: object, where: str) -> None:
    """Check call parameters.

    Raises:
        TypeError: They are not a mapping, or one of them is an option of the decorator.
    """
    if not isinstance(call_params, Mapping):
        raise TypeError(
            f'{where}: `call_params` is a dict such as `{{"temperature": 0.5}}`, not {shortened(call_params)}'
        )
    for name, instead in _NOT_PARAMETERS.items():
        if call_params.get(name) is not None:
            raise TypeError(f"{where}: `call_params` cannot have {name!r}: {instead}")
    for name, value in call_params.items():
        if isinstance(value, type) and issubclass(value, BaseModel):
            raise TypeError(
                f"{where}: `call_params` has the class `{value.__name__}` as {name!r}: write "
                f"`response_model={value.__name__}` as an option of the decorator"
            )
    tools = call_params.get("tools")
    if isinstance(tools, list | tuple) and any(inspect.isroutine(tool) or isinstance(tool, type) for tool in tools):
        raise TypeError(f"{where}: `call_params` has functions as 'tools': write `tools=[...]` as an option instead")


def check_function(fn: object, decorator: str) -> None:
    """Check that a call decorator decorates a prompt function.

    Raises:
        TypeError: It is something else, or a call already.
    """
    if isinstance(fn, type):
        raise TypeError(
            f"{decorator}() decorates a function that returns a prompt, not the class `{fn.__name__}`; a `BasePrompt` "
            f'is called by `prompt.run({decorator}("a-model"))`'
        )
    if not callable(fn):
        raise TypeError(
            f"{decorator}() decorates a function that returns a prompt, not {shortened(fn)}: write "
            f'`@{decorator}("a-model")` above the function'
        )
    # A wrapper has the mark of the call that it wraps, by `functools.wraps`.
    if _is_call(fn) and not _is_call(getattr(fn, "__wrapped__", None)):
        raise TypeError(
            f"{decorator}() decorates a function that returns a prompt, and `{function_name(fn)}` is a call already: "
            "remove one of the two call decorators"
        )


def _is_call(fn: object) -> bool:
    return getattr(fn, "__mirascope_call__", False) is True


def _check_stream(stream: object, decorator: str) -> None:
    if stream is None or isinstance(stream, bool | int):
        return
    where = f"{decorator}(stream=...)"
    if not isinstance(stream, Mapping):
        raise TypeError(
            f'{where} is True, False or a dict such as `{{"partial_tools": True}}`, not {shortened(stream)}'
        )
    if not stream:
        raise ValueError(f"{where} is an empty dict, which does not stream: write `stream=True`")
    _check_keys(stream, StreamConfig, where)
    for name in _TIMEOUTS:
        _check_timeout(stream.get(name), name, where)
    every = stream.get("every", "delta")
    if every not in get_args(Every):
        raise ValueError(f"{where}: `every` is one of {', '.join(map(repr, get_args(Every)))}, not {every!r}")
    partial_tools, replay = stream.get("partial_tools"), stream.get("replay")
    if partial_tools is not None and not isinstance(partial_tools, bool | int):
        raise TypeError(f"{where}: `partial_tools` is True or False, not {shortened(partial_tools)}")
    if replay is not None and (not isinstance(replay, int) or replay < 0):
        raise _error_for(replay)(f"{where}: `replay` is True, False or a number of bytes, not {shortened(replay)}")
    _check_limits(stream.get("limits"), where)


def _check_limits(limits: object, where: str) -> None:
    if limits is None:
        return
    if not isinstance(limits, Mapping):
        raise TypeError(
            f'{where}: `limits` is a dict such as `{{"response_bytes": 1_000_000}}`, not {shortened(limits)}'
        )
    _check_keys(limits, Limits, f"{where}: `limits`")
    for name, value in limits.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise _error_for(value)(f"{where}: the limit `{name}` is an int of at least 0, not {shortened(value)}")


def _check_timeout(seconds: object, name: str, where: str) -> None:
    if seconds is None:
        return
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"{where}: `{name}` is a number of seconds, not {shortened(seconds)}; None means no deadline")
    if not seconds > 0:
        raise ValueError(f"{where}: {name} must be more than 0 seconds, not {seconds!r}; None means no deadline")


def _check_keys(given: Mapping[Any, Any], kind: Any, where: str) -> None:  # Any: a class of typed dicts
    known = kind.__annotations__
    for name in given:
        if name not in known:
            raise ValueError(f"{where} has an unknown key {name!r}: {suggestion(name, known)}")


def _check_parser(parser: object, decorator: str) -> None:
    if parser is None:
        return
    if isinstance(parser, type) and issubclass(parser, BaseModel):
        raise TypeError(
            f"{decorator}(output_parser=...) is a function of the response, and `{parser.__name__}` is a model: write "
            f"`response_model={parser.__name__}`"
        )
    if not callable(parser):
        raise TypeError(f"{decorator}(output_parser=...) is a function of the response, not {shortened(parser)}")


def check_client(client: object, where: str) -> None:
    """Check that a client is not a class or a key.

    Raises:
        TypeError: It is; the message does not show it.
    """
    if isinstance(client, type):
        raise TypeError(f"{where} must be a client, not its class: write `{client.__name__}()`")
    if isinstance(client, str | bytes):
        raise TypeError(
            f"{where} must be a client of the SDK, not text: put a key into the environment or into the client"
        )


def _error_for(value: object) -> Callable[[str], Exception]:
    """Return the class of the exception for a value: of the wrong type, or outside its range."""
    return ValueError if isinstance(value, int) and not isinstance(value, bool) else TypeError
