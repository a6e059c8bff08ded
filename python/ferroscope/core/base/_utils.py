"""The functions of Mirascope v1's `_utils` that a provider of a program's own calls.

Only these are kept; see `docs/providers.md` for a complete provider.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from ..._lazy import load_name
from ._prompts.plan import PromptPlan, fn_is_async, plan_prompt
from ._responses.user_message import last_user_message as get_possible_user_message_param
from ._tools.tool_type import DEFAULT_TOOL_DOCSTRING
from .message_param import BaseMessageParam
from .metadata import Metadata
from .stream_config import StreamConfig
from .tool import BaseTool, provider_tool_type

__all__ = [
    "DEFAULT_TOOL_DOCSTRING",
    "AsyncCreateFn",
    "BaseMessageParamConverter",
    "CreateFn",
    "GetJsonOutput",
    "HandleStream",
    "HandleStreamAsync",
    "SameSyncAndAsyncClientSetupCall",
    "SetupCall",
    "convert_base_model_to_base_tool",
    "convert_base_type_to_base_tool",
    "convert_function_to_base_tool",
    "fn_is_async",
    "get_async_create_fn",
    "get_create_fn",
    "get_dynamic_configuration",
    "get_fn_args",
    "get_metadata",
    "get_possible_user_message_param",
    "get_prompt_template",
    "json_mode_content",
    "setup_call",
]

_ToolT = TypeVar("_ToolT", bound=BaseTool)
# Any in this module: a user's prompt functions, and the SDK's own clients, messages and responses.
_plans: Final[WeakKeyDictionary[Callable[..., Any], PromptPlan]] = WeakKeyDictionary()


class CreateFn(Protocol):
    """A function that sends a request, and returns the SDK's response or an iterable of the SDK's chunks."""

    def __call__(self, *, stream: bool | StreamConfig = False, **kwargs: Any) -> Any: ...


class AsyncCreateFn(Protocol):
    """An async function that sends a request, and returns the SDK's response or an async iterable of chunks."""

    def __call__(self, *, stream: bool | StreamConfig = False, **kwargs: Any) -> Awaitable[Any]: ...


class SetupCall(Protocol):
    """A function that prepares a call.

    It returns the function that sends the request, the prompt template or None, the messages in the provider's format,
    the tools as the provider's classes or None, and the keyword arguments of the request.
    """

    def __call__(
        self,
        *,
        model: str,
        client: Any,
        fn: Callable[..., Any],
        fn_args: dict[str, Any],
        dynamic_config: Any,
        tools: list[type[BaseTool] | Callable[..., Any]] | None,
        json_mode: bool,
        call_params: Any,
        response_model: type[BaseModel] | None,
        stream: bool | StreamConfig,
    ) -> tuple[CreateFn | AsyncCreateFn, str | None, list[Any], list[type[Any]] | None, Any]: ...


SameSyncAndAsyncClientSetupCall = SetupCall


class GetJsonOutput(Protocol):
    """A function that returns the JSON in a response, or the part of the JSON in a chunk."""

    def __call__(self, response: Any, json_mode: bool) -> str: ...


class HandleStream(Protocol):
    """A function that converts the SDK's chunks into pairs of chunk and completed tool."""

    def __call__(self, stream: Any, tool_types: list[type[Any]] | None, partial_tools: bool = False) -> Any: ...


class HandleStreamAsync(Protocol):
    """The async form of `HandleStream`: an async generator function."""

    def __call__(self, stream: Any, tool_types: list[type[Any]] | None, partial_tools: bool = False) -> Any: ...


class BaseMessageParamConverter:
    """The conversion between the messages of a provider and common messages."""

    @staticmethod
    def to_provider(message_params: list[Any]) -> list[Any]:
        """Return common messages in the provider's form."""
        raise NotImplementedError("`to_provider` is not defined")

    @staticmethod
    def from_provider(message_params: list[Any]) -> list[BaseMessageParam]:
        """Return messages of the provider as common messages."""
        raise NotImplementedError("`from_provider` is not defined")


def prompt_plan(fn: Callable[..., Any]) -> PromptPlan:
    """Return the plan of a prompt function, made once per function."""
    plan = _plans.get(fn)
    if plan is None:
        plan = _plans[fn] = plan_prompt(fn)
    return plan


def setup_call(
    fn: Callable[..., Any],
    fn_args: dict[str, Any],
    dynamic_config: Mapping[str, Any] | None,
    tools: Sequence[type[BaseTool] | Callable[..., Any]] | None,
    tool_type: type[_ToolT],
    call_params: Mapping[str, Any] | None,
    convert_common_call_params: Callable[[Any], Any] | None = None,
) -> tuple[str | None, list[Any], list[type[_ToolT]] | None, dict[str, Any]]:
    """Return the parts of a call that do not depend on the provider.

    Args:
        fn: The prompt function.
        fn_args: The arguments of the call; computed fields are added to them.
        dynamic_config: The dynamic config that the function returned, or None.
        tools: The tools of the decorator; those of the dynamic config replace them.
        tool_type: The provider's tool class.
        call_params: The parameters of the call; those of the dynamic config are added.
        convert_common_call_params: A function that converts parameters with the common names to the provider's.

    Returns:
        The prompt template or None, the messages, the tools as the provider's classes, and the keyword arguments of the
        request: the parameters, and the schemas of the tools as `tools`.

    Raises:
        ValueError: There is no prompt, or a tool is invalid.
    """
    config = dynamic_config or {}
    plan = prompt_plan(fn)
    prompt = plan.resolve(fn_args, dict(dynamic_config) if dynamic_config is not None else None)
    fn_args.update(prompt.fn_args)
    given: Any = dict(call_params or {})
    if convert_common_call_params is not None and given.keys() <= _common_names():
        given = convert_common_call_params(given)
    kwargs = {**given, **(config.get("call_params") or {})}
    tool_types: list[type[_ToolT]] | None = None
    if offered := config.get("tools", tools):
        tool_types = [provider_tool_type(tool, tool_type) for tool in offered]
        kwargs["tools"] = [tool.tool_schema() for tool in tool_types]
    return None if config.get("messages") else plan.template, prompt.messages, tool_types, kwargs


def _common_names() -> set[str]:
    from .call_params import CommonCallParams

    return set(CommonCallParams.__annotations__)


def get_fn_args(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name, including defaults."""
    return prompt_plan(fn).bind(args, kwargs)


def get_dynamic_configuration(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the dynamic config of a call, or None; an awaitable of it for an async function."""
    plan = prompt_plan(fn)
    returned = plan.fn(*args, **kwargs)
    if not plan.is_async:
        return dynamic_config_of(plan, plan.bind(args, kwargs), returned)

    async def awaited() -> Any:
        return dynamic_config_of(plan, plan.bind(args, kwargs), await returned)

    return awaited()


def dynamic_config_of(plan: PromptPlan, fn_args: dict[str, Any], returned: Any) -> dict[str, Any] | None:
    """Return what a prompt function returned as a dynamic config; None for a template without a config."""
    if returned is None or isinstance(returned, dict):
        return returned
    return plan.resolve(fn_args, returned).config


def get_metadata(fn: Callable[..., Any], dynamic_config: Mapping[str, Any] | None) -> Metadata:
    """Return the metadata of a call: of the dynamic config, else of the decorator `@metadata`."""
    return cast("Metadata", (dynamic_config or {}).get("metadata") or getattr(fn, "_metadata", None) or {})


def get_prompt_template(fn: Callable[..., Any]) -> str | None:
    """Return the string template of a prompt function; None if it has none."""
    return prompt_plan(fn).template


def convert_base_model_to_base_tool(model: type[BaseModel], base: type[_ToolT]) -> type[_ToolT]:
    """Return a model or a tool class as a class of the provider."""
    return provider_tool_type(model, base)


def convert_function_to_base_tool(fn: Callable[..., Any], base: type[_ToolT]) -> type[_ToolT]:
    """Return a function as a tool class of the provider."""
    return provider_tool_type(fn, base)


def convert_base_type_to_base_tool(schema: Any, base: type[_ToolT]) -> type[_ToolT]:
    """Return a builtin type as a tool class of the provider with the field `value`."""
    return base.type_from_base_type(schema)


def get_create_fn(create: Callable[..., Any], create_stream: Callable[..., Any] | None = None) -> CreateFn:
    """Return one function that sends requests, streamed or not.

    Args:
        create: The SDK's function. It receives `stream=True` for a stream if there is no other function.
        create_stream: The SDK's function for streams, or None.
    """

    def send(*, stream: bool | StreamConfig = False, **kwargs: Any) -> Any:
        if not stream:
            return create(**kwargs)
        return create(stream=True, **kwargs) if create_stream is None else create_stream(**kwargs)

    return send


def get_async_create_fn(create: Callable[..., Any], create_stream: Callable[..., Any] | None = None) -> AsyncCreateFn:
    """Return one async function that sends requests, streamed or not; see `get_create_fn`."""
    send = get_create_fn(create, create_stream)

    async def send_async(*, stream: bool | StreamConfig = False, **kwargs: Any) -> Any:
        sent = send(stream=stream, **kwargs)
        return await sent if inspect.isawaitable(sent) else sent

    return send_async


def json_mode_content(response_model: type[BaseModel] | None) -> str:
    """Return the instruction for a prompt that asks for JSON, with the schema of the response model."""
    # The text is shared with the wire formats, which are a layer above.
    json_prompt: Callable[[Any], str] = load_name("ferroscope._dialects.json_prompt:json_prompt")
    tool = None if response_model is None else provider_tool_type(response_model, cast("Any", BaseTool))
    return f"\n\n{json_prompt(tool)}"
