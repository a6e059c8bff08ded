"""The types of the call decorators: every overload there is stands here.

A decorated function keeps its parameters and whether it is async. What it returns follows from the options of
the decorator alone, so a few overloads over those, and two over sync and async, say all of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypeAlias, TypeVar, Unpack, overload

from ..core.base.call_params import BaseCallParams, CommonCallParams
from ..core.base.dynamic_config import BaseDynamicConfig
from ..core.base.messages import Messages
from ..core.base.stream_config import StreamConfig
from ..core.base.structured_stream import BaseStructuredStream
from ..core.base.types import LocalProvider, Provider
from .options import SharedOptions, Tools

if TYPE_CHECKING:
    # What may stand in an annotation: a class, and also `X | Y`, `Literal[...]`, `Annotated[...]` (PEP 747). Only
    # checkers need it, and those know it before `typing_extensions` has it here.
    from typing_extensions import TypeForm

_P = ParamSpec("_P")
_ReturnT = TypeVar("_ReturnT", covariant=True)
_ResponseT = TypeVar("_ResponseT", covariant=True)
_StreamT = TypeVar("_StreamT", covariant=True)
_ParamsT = TypeVar("_ParamsT", contravariant=True)
_ClientT = TypeVar("_ClientT", contravariant=True)
_ModelT = TypeVar("_ModelT")
_ParsedT = TypeVar("_ParsedT")
_SameT = TypeVar("_SameT")
_AnyStreamT = TypeVar("_AnyStreamT")

# Any: a dynamic config's messages, parameters and client are the provider's; its own alias pins them.
Prompt: TypeAlias = Messages.Type | BaseDynamicConfig[Any, Any, Any]


class PromptToCall(Protocol[_ReturnT]):
    """Turns a prompt function into a call: the same parameters, sync or async as before."""

    @overload
    def __call__(self, fn: Callable[_P, Awaitable[Prompt]], /) -> Callable[_P, Coroutine[object, None, _ReturnT]]: ...
    @overload
    def __call__(self, fn: Callable[_P, Prompt], /) -> Callable[_P, _ReturnT]: ...


class CallDecorator(Protocol[_ResponseT, _StreamT, _ParamsT, _ClientT]):
    """`openai.call`, `anthropic.call`, …: one type, filled in with a provider's classes.

    Args:
        model: The model that is asked.
        stream: Whether the answer is streamed; `{"partial_tools": True}` also gives tools while they are written.
        tools: What the model may call: functions, tool classes, models.
        response_model: What the answer is to be: a model, a builtin, `list[str]`, a union, an enum, …
        output_parser: What the response is handed to; the call then returns what that returns.
        json_mode: Whether the answer is to be JSON.
        client: The client to call with; by default one that is made once and kept.
        call_params: The provider's parameters, or those that all providers share.
    """

    @overload  # what the provider answers
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[_ResponseT]: ...
    @overload  # what the parser makes of it
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: Callable[[_ResponseT], _ParsedT],
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload  # the answer while it is written
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[_StreamT]: ...
    @overload  # what the response model makes of the answer
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[_ModelT]: ...
    @overload  # and what the parser makes of that
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: Callable[[_ModelT], _ParsedT],
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload  # unless the model calls a tool
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[_ModelT | _ResponseT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: Callable[[_ModelT], _ParsedT],
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[_ParsedT | _ResponseT]: ...
    @overload  # the response model while it is written
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT]]: ...
    @overload  # unless the model calls a tool
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[SharedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT | _ResponseT]]: ...


# Named for completion in editors; the other strings are `provider/model`.
ProviderName: TypeAlias = Provider | LocalProvider | str
AnyCallParams: TypeAlias = CommonCallParams | BaseCallParams


class AgnosticCallDecorator(Protocol[_ResponseT, _StreamT]):
    """`llm.call`: the same for a call of whichever provider.

    Args:
        provider: Who is called (`"openai"`), or that and the model (`"openai/gpt-4o-mini"`).
        model: The model that is asked.
        stream: Whether the answer is streamed; `{"partial_tools": True}` also gives tools while they are written.
        tools: What the model may call: functions, tool classes, models.
        response_model: What the answer is to be: a model, a builtin, `list[str]`, a union, an enum, …
        output_parser: What the response is handed to; the call then returns what that returns.
        json_mode: Whether the answer is to be JSON.
        client: The SDK's client to call with; by default one that is made once and kept.
        call_params: The parameters that all providers share, or the provider's own.
    """

    @overload  # what the provider answers
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[False] = False,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[_ResponseT]: ...
    @overload  # what the parser makes of it
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[False] = False,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: Callable[[_ResponseT], _ParsedT],
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload  # the answer while it is written
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[True] | StreamConfig,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[_StreamT]: ...
    @overload  # what the response model makes of the answer
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[False] = False,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[_ModelT]: ...
    @overload  # and what the parser makes of that
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[False] = False,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: Callable[[_ModelT], _ParsedT],
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload  # unless the model calls a tool
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[False] = False,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[_ModelT | _ResponseT]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[False] = False,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: Callable[[_ModelT], _ParsedT],
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[_ParsedT | _ResponseT]: ...
    @overload  # the response model while it is written
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[True] | StreamConfig,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT]]: ...
    @overload  # unless the model calls a tool
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        *,
        stream: Literal[True] | StreamConfig,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[SharedOptions[object, AnyCallParams]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT | _ResponseT]]: ...


class OverrideOptions(SharedOptions[object, AnyCallParams], total=False):
    """The options of `llm.override` that do not change the type of the result."""

    provider: Provider | LocalProvider | None
    model: str | None


class CallOverride(Protocol[_ResponseT, _AnyStreamT]):
    """`llm.override`: keeps the parameters of the call; the type of the result follows from what is changed.

    Args:
        provider_agnostic_call: A function decorated with `llm.call`, or one that calls such functions.
        provider: The provider to call; goes with `model`.
        model: The model to ask; goes with `provider`.
        stream: Whether the answer is streamed.
        tools: What the model may call.
        response_model: What the answer is to be.
        output_parser: What the response is handed to.
        json_mode: Whether the answer is to be JSON.
        client: The client to call with.
        call_params: The call parameters.
    """

    # Of each two the first is for async calls. An awaitable is an object too: the order says which is meant.
    @overload  # streamed
    def __call__(  # pyright: ignore[reportOverlappingOverload]
        self,
        provider_agnostic_call: Callable[_P, Coroutine[object, None, object]],
        *,
        stream: Literal[True] | StreamConfig,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, Coroutine[object, None, _AnyStreamT]]: ...
    @overload  # streamed
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, object],
        *,
        stream: Literal[True] | StreamConfig,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, _AnyStreamT]: ...
    @overload  # parsed
    def __call__(  # pyright: ignore[reportOverlappingOverload]
        self,
        provider_agnostic_call: Callable[_P, Coroutine[object, None, object]],
        *,
        stream: Literal[False] | None = None,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: Callable[[_ResponseT], _ParsedT],
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, Coroutine[object, None, _ParsedT]]: ...
    @overload  # parsed
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, object],
        *,
        stream: Literal[False] | None = None,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: Callable[[_ResponseT], _ParsedT],
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, _ParsedT]: ...
    @overload  # as a response model
    def __call__(  # pyright: ignore[reportOverlappingOverload]
        self,
        provider_agnostic_call: Callable[_P, Coroutine[object, None, object]],
        *,
        stream: Literal[False] | None = None,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, Coroutine[object, None, _ModelT]]: ...
    @overload  # as a response model
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, object],
        *,
        stream: Literal[False] | None = None,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, _ModelT]: ...
    @overload  # as a response model, parsed
    def __call__(  # pyright: ignore[reportOverlappingOverload]
        self,
        provider_agnostic_call: Callable[_P, Coroutine[object, None, object]],
        *,
        stream: Literal[False] | None = None,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: Callable[[_ModelT], _ParsedT],
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, Coroutine[object, None, _ParsedT]]: ...
    @overload  # as a response model, parsed
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, object],
        *,
        stream: Literal[False] | None = None,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: Callable[[_ModelT], _ParsedT],
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, _ParsedT]: ...
    @overload  # as a response model, unless a tool is called
    def __call__(  # pyright: ignore[reportOverlappingOverload]
        self,
        provider_agnostic_call: Callable[_P, Coroutine[object, None, object]],
        *,
        stream: Literal[False] | None = None,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, Coroutine[object, None, _ModelT | _ResponseT]]: ...
    @overload  # as a response model, unless a tool is called
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, object],
        *,
        stream: Literal[False] | None = None,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, _ModelT | _ResponseT]: ...
    @overload  # as a response model, streamed
    def __call__(  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
        self,
        provider_agnostic_call: Callable[_P, Coroutine[object, None, object]],
        *,
        stream: Literal[True] | StreamConfig,
        tools: Tools | None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, Coroutine[object, None, BaseStructuredStream[_ModelT]]]: ...
    @overload  # as a response model, streamed
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, object],
        *,
        stream: Literal[True] | StreamConfig,
        tools: Tools | None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, BaseStructuredStream[_ModelT]]: ...
    @overload  # no longer streamed
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, Coroutine[object, None, _AnyStreamT]],
        *,
        stream: Literal[False],
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, Coroutine[object, None, _ResponseT]]: ...
    @overload  # no longer streamed
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, _AnyStreamT],
        *,
        stream: Literal[False],
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, _ResponseT]: ...
    @overload  # a response model no longer streamed
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, Coroutine[object, None, BaseStructuredStream[_ModelT]]],
        *,
        stream: Literal[False],
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, Coroutine[object, None, _ModelT]]: ...
    @overload  # a response model no longer streamed
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, BaseStructuredStream[_ModelT]],
        *,
        stream: Literal[False],
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, _ModelT]: ...
    @overload  # as before
    def __call__(
        self,
        provider_agnostic_call: Callable[_P, _SameT],
        *,
        stream: Literal[False] | None = None,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[OverrideOptions],
    ) -> Callable[_P, _SameT]: ...
