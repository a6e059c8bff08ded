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
    """The options of `llm.override` that do not affect the type of the result."""

    provider: Provider | LocalProvider | None
    model: str | None


class CallOverride(Protocol[_ResponseT, _AnyStreamT]):
    """`llm.override`: the call keeps its parameters; the changed options determine the type of its result.

    Args:
        provider_agnostic_call: A function decorated with `llm.call`, or one that calls such functions.
        provider: The provider. It requires `model`.
        model: The model. It requires `provider`.
        stream: Whether to stream the response.
        tools: The tools that the model may call.
        response_model: The type of the result.
        output_parser: A function of the response; the call returns its result.
        json_mode: Whether to ask for JSON.
        client: The SDK's client.
        call_params: The parameters of the request.
    """

    # The first overload of each pair is for async calls. An awaitable is an `object` too, so the order matters.
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
    @overload  # unchanged
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
