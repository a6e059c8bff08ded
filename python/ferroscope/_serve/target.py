"""The target of the service: a decorated function, a generator of steps, or a model."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_origin, get_type_hints

from .. import llm
from ..core.base.message_param import BaseMessageParam, TextPart
from ..errors import FerroscopeError
from ..web import Step, ToolOutput

_MAX_TURNS: Final = 16


class TargetError(FerroscopeError, ValueError):
    """The target cannot be served."""


class TooManyTurnsError(FerroscopeError):
    """The model keeps calling tools."""


class Target:
    """A function that answers the messages of a request.

    Attributes:
        name: The name in `/v1/models`.
        is_async: Whether the function is async.
        takes_parameters: Whether requests may set common parameters, such as the temperature.
    """

    def __init__(self, name: str, call: Any, *, takes_parameters: bool = False) -> None:  # Any: a decorated function
        self.name = name
        self.takes_parameters = takes_parameters
        self._is_generator = inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call)
        self.is_async = inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)
        self._takes_text = _takes_text(call, name)
        self._call = call
        if not self._is_generator:
            self._check_options()
            self._call = call._with_options(stream=True)
            self._whole_call = call._with_options(stream=False)

    @property
    def has_whole_calls(self) -> bool:
        """Whether a request without streaming is one async call of the provider without streaming."""
        return self.is_async and not self._is_generator

    def steps(
        self, messages: list[BaseMessageParam], parameters: dict[str, Any]
    ) -> Iterator[Step] | AsyncIterator[Step]:
        """Return the steps of the answer: streams, and the outputs of tools."""
        argument = _last_text(messages) if self._takes_text else messages
        if self._is_generator:
            return self._call(argument)  # type: ignore[no-any-return]
        call = self._with_parameters(self._call, parameters)
        return _aturns(call, argument) if self.is_async else _turns(call, argument)

    async def responses(self, messages: list[BaseMessageParam], parameters: dict[str, Any]) -> list[Any]:
        """Return the responses of an answer without streaming: one for each turn of a model that calls tools."""
        argument = _last_text(messages) if self._takes_text else messages
        call = self._with_parameters(self._whole_call, parameters)
        responses: list[Any] = []
        for _ in range(_MAX_TURNS):
            response = await call(argument)
            responses.append(response)
            if not (tools := response.tools):
                return responses
            argument = _continued(argument, response, [(tool, await _acall(tool)) for tool in tools])
        raise TooManyTurnsError(f"the model called tools in {_MAX_TURNS} turns")

    def _with_parameters(self, call: Any, parameters: dict[str, Any]) -> Any:
        return call._with_options(call_params=parameters) if parameters else call

    def _check_options(self) -> None:
        options = self._call._options
        for option in ("response_model", "output_parser"):
            if options.get(option) is not None:
                raise TargetError(f"{self.name}: a call with {option!r} has no messages to serve")
        if options.get("tools") and self._takes_text:
            raise TargetError(f"{self.name}: a call with tools needs the messages: annotate its parameter as a list")


def load_target(name: str) -> Target:
    """Return the target of a name: `module:function`, or `provider/model`.

    Raises:
        TargetError: It is neither, or it cannot be served.
    """
    module, colon, attribute = name.partition(":")
    if colon and "/" not in module:
        folder = str(Path.cwd())
        if folder not in sys.path:
            sys.path.insert(0, folder)
        try:
            found = import_module(module)
        except ModuleNotFoundError as error:
            raise TargetError(f"{name}: the module {error.name!r} does not exist") from None
        call: Any = getattr(found, attribute, None)
        if call is None:
            raise TargetError(f"{name}: the module has no {attribute!r}")
        return Target(attribute, call)
    if "/" not in name:
        raise TargetError(f"{name}: write `module:function` or `provider/model`")
    try:

        @llm.call(name)
        async def model(messages: list[BaseMessageParam]) -> list[BaseMessageParam]:
            return messages

    except ValueError as error:
        raise TargetError(f"{name}: {error}") from None
    return Target(name, model, takes_parameters=True)


def _takes_text(call: Any, name: str) -> bool:
    """Check the signature. Return whether the parameter is a text, not a list of messages."""
    is_decorated = hasattr(call, "_with_options")
    if not is_decorated and not inspect.isgeneratorfunction(call) and not inspect.isasyncgenfunction(call):
        raise TargetError(f"{name}: decorate it with a provider's call, or make it a generator of steps")
    function = inspect.unwrap(call)
    parameters = list(inspect.signature(function).parameters.values())
    wanted = f"{name}: annotate its first parameter as `str` (the last message) or as a list (all messages)"
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise TargetError(wanted)
    first, *others = parameters
    for parameter in others:
        if parameter.default is parameter.empty and parameter.kind not in (
            inspect.Parameter.VAR_POSITIONAL,
            inspect.Parameter.VAR_KEYWORD,
        ):
            raise TargetError(f"{name}: the parameter {parameter.name!r} has no default, and a request has no value")
    try:
        annotation = get_type_hints(function).get(first.name)
    except (NameError, TypeError):
        annotation = first.annotation
    if annotation is str:
        return True
    if annotation is list or get_origin(annotation) is list:
        return False
    raise TargetError(wanted)


def _last_text(messages: list[BaseMessageParam]) -> str:
    for message in reversed(messages):
        if message.role == "user":
            if isinstance(message.content, str):
                return message.content
            return "".join(part.text for part in message.content if isinstance(part, TextPart))
    return ""


def _continued(messages: Any, response: Any, outputs: list[tuple[Any, Any]]) -> list[Any]:
    return [*messages, response.message_param, *response.tool_message_params(_shown(outputs))]


def _turns(call: Callable[..., Any], messages: Any) -> Iterator[Step]:
    for _ in range(_MAX_TURNS):
        stream = call(messages)
        yield stream
        response = stream.construct_call_response()
        if not (tools := response.tools):
            return
        outputs = []
        for tool in tools:
            outputs.append((tool, _call(tool)))
            yield ToolOutput(*outputs[-1])
        messages = _continued(messages, response, outputs)
    raise TooManyTurnsError(f"the model called tools in {_MAX_TURNS} turns")


async def _aturns(call: Callable[..., Any], messages: Any) -> AsyncIterator[Step]:
    for _ in range(_MAX_TURNS):
        stream = await call(messages)
        yield stream
        response = stream.construct_call_response()
        if not (tools := response.tools):
            return
        outputs = []
        for tool in tools:
            outputs.append((tool, await _acall(tool)))
            yield ToolOutput(*outputs[-1])
        messages = _continued(messages, response, outputs)
    raise TooManyTurnsError(f"the model called tools in {_MAX_TURNS} turns")


def _call(tool: Any) -> Any:
    try:
        return tool.call()
    except Exception as error:
        return error


async def _acall(tool: Any) -> Any:
    try:
        if inspect.iscoroutinefunction(tool.call):
            return await tool.call()
        # A sync tool would stop the other answers of the event loop.
        output = await asyncio.to_thread(tool.call)
        return await output if inspect.isawaitable(output) else output
    except Exception as error:
        return error


def _shown(outputs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return the outputs as the model sees them: a failed tool is the text of its exception."""
    return [(tool, f"Error: {out}" if isinstance(out, Exception) else out) for tool, out in outputs]
