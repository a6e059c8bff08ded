"""The type of `llm.override`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Literal, ParamSpec, Protocol, TypeVar, Unpack, overload

from ..core.base.stream_config import StreamConfig
from ..core.base.structured_stream import BaseStructuredStream
from ..core.base.types import LocalProvider, Provider
from .options import SharedOptions, Tools
from .typing import AnyCallParams

if TYPE_CHECKING:
    from typing_extensions import TypeForm

_P = ParamSpec("_P")
_ResponseT = TypeVar("_ResponseT", covariant=True)
_ModelT = TypeVar("_ModelT")
_ParsedT = TypeVar("_ParsedT")
_SameT = TypeVar("_SameT")
_AnyStreamT = TypeVar("_AnyStreamT")


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
