"""The type of the call decorators of providers that have the Responses API beside chat completions.

The overloads are those of `CallDecorator`, once for each API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Literal, Protocol, Required, TypeVar, Unpack, overload

from ..core.base.stream_config import StreamConfig
from ..core.base.structured_stream import BaseStructuredStream
from .options import SharedOptions, Tools
from .typing import PromptToCall

if TYPE_CHECKING:
    from typing_extensions import TypeForm

_ResponseT = TypeVar("_ResponseT", covariant=True)
_StreamT = TypeVar("_StreamT", covariant=True)
_ResponsesT = TypeVar("_ResponsesT", covariant=True)
_ResponsesStreamT = TypeVar("_ResponsesStreamT", covariant=True)
_ParamsT = TypeVar("_ParamsT", contravariant=True)
_ResponsesParamsT = TypeVar("_ResponsesParamsT", contravariant=True)
_ClientT = TypeVar("_ClientT", contravariant=True)
_OptionClientT = TypeVar("_OptionClientT")
_OptionParamsT = TypeVar("_OptionParamsT")
_ModelT = TypeVar("_ModelT")
_ParsedT = TypeVar("_ParsedT")


class ChatOptions(SharedOptions[_OptionClientT, _OptionParamsT], Generic[_OptionClientT, _OptionParamsT], total=False):
    """The options of a call of chat completions, or of the API that the model and the parameters choose."""

    api: Literal["auto", "chat"]


class ResponsesOptions(
    SharedOptions[_OptionClientT, _OptionParamsT], Generic[_OptionClientT, _OptionParamsT], total=False
):
    """The options of a call of the Responses API."""

    api: Required[Literal["responses"]]


class TwoApiCallDecorator(
    Protocol[_ResponseT, _StreamT, _ParamsT, _ResponsesT, _ResponsesStreamT, _ResponsesParamsT, _ClientT]
):
    """`openai.call`, `azure.call`, `xai.call`: one type, filled in with the classes of both APIs.

    Args:
        model: The name of the model.
        stream: Whether to stream the response; a `StreamConfig` also configures it.
        tools: The tools that the model may call: functions, tool classes, pydantic models.
        response_model: The type of the result: a model, a builtin, `list[str]`, a union, an enum, ...
        output_parser: A function of the response; the call returns its result.
        json_mode: Whether to ask for JSON.
        client: The SDK's client; by default one that is created once and reused.
        call_params: The parameters of the request.
        api: The API: `"chat"`, `"responses"`, or `"auto"`. With `"auto"`, a call goes to the Responses API if its model
            or a parameter exists only there.
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
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
        **options: Unpack[ChatOptions[_ClientT, _ParamsT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT | _ResponseT]]: ...
    @overload  # the same of the Responses API
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: None = None,
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
    ) -> PromptToCall[_ResponsesT]: ...
    @overload  # what the parser makes of it
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: Tools | None = None,
        response_model: None = None,
        output_parser: Callable[[_ResponsesT], _ParsedT],
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
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
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
    ) -> PromptToCall[_ResponsesStreamT]: ...
    @overload  # what the response model makes of the answer
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
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
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
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
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
    ) -> PromptToCall[_ModelT | _ResponsesT]: ...
    @overload
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[False] = False,
        tools: Tools,
        response_model: TypeForm[_ModelT],
        output_parser: Callable[[_ModelT], _ParsedT],
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
    ) -> PromptToCall[_ParsedT | _ResponsesT]: ...
    @overload  # the response model while it is written
    def __call__(
        self,
        model: str,
        *,
        stream: Literal[True] | StreamConfig,
        tools: None = None,
        response_model: TypeForm[_ModelT],
        output_parser: None = None,
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
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
        **options: Unpack[ResponsesOptions[_ClientT, _ResponsesParamsT]],
    ) -> PromptToCall[BaseStructuredStream[_ModelT | _ResponsesT]]: ...
