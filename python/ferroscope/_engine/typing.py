"""The types of the call decorators.

A decorated function keeps its parameters, and whether it is async. The type of its result depends only on the options
of the decorator: a decorator has one overload for each class of options in `result_options`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, ParamSpec, Protocol, TypeAlias, TypeVar, Unpack, overload

from ..core.base.call_params import BaseCallParams, CommonCallParams
from ..core.base.dynamic_config import BaseDynamicConfig
from ..core.base.messages import Messages
from ..core.base.structured_stream import BaseStructuredStream
from ..core.base.types import LocalProvider, Provider
from .decorated import AsyncCall, SyncCall
from .result_options import (
    ModelOptions,
    ModelOrToolOptions,
    ParsedModelOptions,
    ParsedModelOrToolOptions,
    ParsedOptions,
    PlainOptions,
    StreamedModelOptions,
    StreamedModelOrToolOptions,
    StreamedOptions,
)

_P = ParamSpec("_P")
_ReturnT = TypeVar("_ReturnT", covariant=True)
_ResponseT = TypeVar("_ResponseT", covariant=True)
_StreamT = TypeVar("_StreamT", covariant=True)
_ParamsT = TypeVar("_ParamsT", contravariant=True)
_ClientT = TypeVar("_ClientT", contravariant=True)
_ResponsesT = TypeVar("_ResponsesT", covariant=True)
_ResponsesStreamT = TypeVar("_ResponsesStreamT", covariant=True)
_ResponsesParamsT = TypeVar("_ResponsesParamsT", contravariant=True)
_ModelT = TypeVar("_ModelT")
_ParsedT = TypeVar("_ParsedT")

# Any: the messages, parameters and client of a dynamic config belong to the provider, whose own alias sets them.
Prompt: TypeAlias = Messages.Type | BaseDynamicConfig[Any, Any, Any]


class PromptToCall(Protocol[_ReturnT]):
    """The decorator of a prompt function. The call has the same parameters, and is sync or async like the function."""

    # Sync first: to mypy, a function without return annotation returns Any, which fits both overloads; it takes the
    # first. An async one returns a coroutine, and a coroutine is not a prompt.
    @overload
    def __call__(self, fn: Callable[_P, Prompt], /) -> SyncCall[_P, _ReturnT]: ...
    @overload
    def __call__(self, fn: Callable[_P, Awaitable[Prompt]], /) -> AsyncCall[_P, _ReturnT]: ...


class CallDecorator(Protocol[_ResponseT, _StreamT, _ParamsT, _ClientT]):
    """`openai.call`, `anthropic.call`, ...: one type, with the classes of a provider as parameters.

    Args:
        model: The name of the model.
        stream: Whether to stream the response. `{"partial_tools": True}` also yields tools with incomplete arguments.
        tools: The tools that the model may call: functions, tool classes, pydantic models.
        response_model: The type of the result: a model, a builtin, `list[str]`, a union, an enum, ...
        output_parser: A function of the response; the call returns its result.
        json_mode: Whether to ask for JSON.
        client: The SDK's client; by default one that is created once and reused.
        call_params: The parameters of the request: the provider's own, or those that all providers share.
    """

    @overload
    def __call__(self, model: str, **options: Unpack[PlainOptions[_ClientT, _ParamsT]]) -> PromptToCall[_ResponseT]: ...
    @overload
    def __call__(
        self, model: str, **options: Unpack[ParsedOptions[_ClientT, _ParamsT, _ResponseT, _ParsedT]]
    ) -> PromptToCall[_ParsedT]: ...
    @overload
    def __call__(
        self, model: str, **options: Unpack[StreamedOptions[_ClientT, _ParamsT]]
    ) -> PromptToCall[_StreamT]: ...
    @overload
    def __call__(
        self, model: str, **options: Unpack[ModelOptions[_ClientT, _ParamsT, _ModelT]]
    ) -> PromptToCall[_ModelT]: ...
    @overload
    def __call__(
        self, model: str, **options: Unpack[ParsedModelOptions[_ClientT, _ParamsT, _ModelT, _ParsedT]]
    ) -> PromptToCall[_ParsedT]: ...
    @overload
    def __call__(
        self, model: str, **options: Unpack[ModelOrToolOptions[_ClientT, _ParamsT, _ModelT]]
    ) -> PromptToCall[_ModelT | _ResponseT]: ...
    @overload
    def __call__(
        self, model: str, **options: Unpack[ParsedModelOrToolOptions[_ClientT, _ParamsT, _ModelT, _ParsedT]]
    ) -> PromptToCall[_ParsedT | _ResponseT]: ...
    @overload
    def __call__(
        self, model: str, **options: Unpack[StreamedModelOptions[_ClientT, _ParamsT, _ModelT]]
    ) -> PromptToCall[BaseStructuredStream[_ModelT]]: ...
    @overload
    def __call__(
        self, model: str, **options: Unpack[StreamedModelOrToolOptions[_ClientT, _ParamsT, _ModelT]]
    ) -> PromptToCall[BaseStructuredStream[_ModelT | _ResponseT]]: ...


class TwoApiCallDecorator(
    Protocol[_ResponseT, _StreamT, _ParamsT, _ResponsesT, _ResponsesStreamT, _ResponsesParamsT, _ClientT]
):
    """`openai.call`, `azure.call`, `xai.call`: one type, with the classes of both APIs as parameters.

    Args:
        model: The name of the model.
        stream: Whether to stream the response; a `StreamConfig` also configures it.
        tools: The tools that the model may call: functions, tool classes, pydantic models.
        response_model: The type of the result: a model, a builtin, `list[str]`, a union, an enum, ...
        output_parser: A function of the response; the call returns its result.
        json_mode: Whether to ask for JSON.
        client: The SDK's client; by default one that is created once and reused.
        call_params: The parameters of the request.
        api: The API: `"chat"`, `"responses"`, or `"auto"`. With `"auto"`, a call uses the Responses API if its model
            or a parameter exists only there.
    """

    @overload
    def __call__(
        self, model: str, *, api: Literal["auto", "chat"] = "auto", **options: Unpack[PlainOptions[_ClientT, _ParamsT]]
    ) -> PromptToCall[_ResponseT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["auto", "chat"] = "auto",
        **options: Unpack[ParsedOptions[_ClientT, _ParamsT, _ResponseT, _ParsedT]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["auto", "chat"] = "auto",
        **options: Unpack[StreamedOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[_StreamT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["auto", "chat"] = "auto",
        **options: Unpack[ModelOptions[_ClientT, _ParamsT, _ModelT]],
    ) -> PromptToCall[_ModelT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["auto", "chat"] = "auto",
        **options: Unpack[ParsedModelOptions[_ClientT, _ParamsT, _ModelT, _ParsedT]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["auto", "chat"] = "auto",
        **options: Unpack[ModelOrToolOptions[_ClientT, _ParamsT, _ModelT]],
    ) -> PromptToCall[_ModelT | _ResponseT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["auto", "chat"] = "auto",
        **options: Unpack[ParsedModelOrToolOptions[_ClientT, _ParamsT, _ModelT, _ParsedT]],
    ) -> PromptToCall[_ParsedT | _ResponseT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["auto", "chat"] = "auto",
        **options: Unpack[StreamedModelOptions[_ClientT, _ParamsT, _ModelT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT]]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["auto", "chat"] = "auto",
        **options: Unpack[StreamedModelOrToolOptions[_ClientT, _ParamsT, _ModelT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT | _ResponseT]]: ...
    @overload
    def __call__(
        self, model: str, *, api: Literal["responses"], **options: Unpack[PlainOptions[_ClientT, _ResponsesParamsT]]
    ) -> PromptToCall[_ResponsesT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["responses"],
        **options: Unpack[ParsedOptions[_ClientT, _ResponsesParamsT, _ResponsesT, _ParsedT]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload
    def __call__(
        self, model: str, *, api: Literal["responses"], **options: Unpack[StreamedOptions[_ClientT, _ResponsesParamsT]]
    ) -> PromptToCall[_ResponsesStreamT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["responses"],
        **options: Unpack[ModelOptions[_ClientT, _ResponsesParamsT, _ModelT]],
    ) -> PromptToCall[_ModelT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["responses"],
        **options: Unpack[ParsedModelOptions[_ClientT, _ResponsesParamsT, _ModelT, _ParsedT]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["responses"],
        **options: Unpack[ModelOrToolOptions[_ClientT, _ResponsesParamsT, _ModelT]],
    ) -> PromptToCall[_ModelT | _ResponsesT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["responses"],
        **options: Unpack[ParsedModelOrToolOptions[_ClientT, _ResponsesParamsT, _ModelT, _ParsedT]],
    ) -> PromptToCall[_ParsedT | _ResponsesT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["responses"],
        **options: Unpack[StreamedModelOptions[_ClientT, _ResponsesParamsT, _ModelT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT]]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        api: Literal["responses"],
        **options: Unpack[StreamedModelOrToolOptions[_ClientT, _ResponsesParamsT, _ModelT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT | _ResponsesT]]: ...


# Named for completion in editors. Other strings are of the form `provider/model`.
ProviderName: TypeAlias = Provider | LocalProvider | str


class AgnosticCallParams(CommonCallParams, total=False):
    """The common parameters, and the choice of the API for providers that have two.

    The parameters that only one provider has are passed as its own type, such as `openai.OpenAICallParams(...)`.
    """

    api: Literal["auto", "chat", "responses"]


AnyCallParams: TypeAlias = AgnosticCallParams | BaseCallParams


class AgnosticCallDecorator(Protocol[_ResponseT, _StreamT]):
    """`llm.call`: the decorator for calls of any provider.

    Args:
        provider: The provider (`"openai"`), or the provider and the model (`"openai/gpt-4o-mini"`).
        model: The name of the model.
        stream: Whether to stream the response. `{"partial_tools": True}` also yields tools with incomplete arguments.
        tools: The tools that the model may call: functions, tool classes, pydantic models.
        response_model: The type of the result: a model, a builtin, `list[str]`, a union, an enum, ...
        output_parser: A function of the response; the call returns its result.
        json_mode: Whether to ask for JSON.
        client: The SDK's client; by default one that is created once and reused.
        call_params: The parameters of the request: those that all providers share, or the provider's own.
    """

    @overload
    def __call__(
        self, provider: ProviderName, model: str | None = None, **options: Unpack[PlainOptions[object, AnyCallParams]]
    ) -> PromptToCall[_ResponseT]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        **options: Unpack[ParsedOptions[object, AnyCallParams, _ResponseT, _ParsedT]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        **options: Unpack[StreamedOptions[object, AnyCallParams]],
    ) -> PromptToCall[_StreamT]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        **options: Unpack[ModelOptions[object, AnyCallParams, _ModelT]],
    ) -> PromptToCall[_ModelT]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        **options: Unpack[ParsedModelOptions[object, AnyCallParams, _ModelT, _ParsedT]],
    ) -> PromptToCall[_ParsedT]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        **options: Unpack[ModelOrToolOptions[object, AnyCallParams, _ModelT]],
    ) -> PromptToCall[_ModelT | _ResponseT]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        **options: Unpack[ParsedModelOrToolOptions[object, AnyCallParams, _ModelT, _ParsedT]],
    ) -> PromptToCall[_ParsedT | _ResponseT]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        **options: Unpack[StreamedModelOptions[object, AnyCallParams, _ModelT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT]]: ...
    @overload
    def __call__(
        self,
        provider: ProviderName,
        model: str | None = None,
        **options: Unpack[StreamedModelOrToolOptions[object, AnyCallParams, _ModelT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT | _ResponseT]]: ...
