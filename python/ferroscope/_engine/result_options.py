"""The options of a call decorator that determine the type of its result, one class per result.

Every call decorator has one overload for each class of this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Literal, Required, TypeVar

from ..core.base.stream_config import StreamConfig
from .options import SharedOptions, Tools

if TYPE_CHECKING:
    # The type of an annotation's value: a class, but also `X | Y`, `Literal[...]`, `Annotated[...]` (PEP 747). Only
    # checkers need it, and they know it even if the installed `typing_extensions` does not.
    from typing_extensions import TypeForm

_ClientT = TypeVar("_ClientT")
_ParamsT = TypeVar("_ParamsT")
_ResponseT = TypeVar("_ResponseT")
_ModelT = TypeVar("_ModelT")
_ParsedT = TypeVar("_ParsedT")


class PlainOptions(SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT], total=False):
    """The options of a call that returns the response."""

    stream: Literal[False]
    tools: Tools | None
    response_model: None
    output_parser: None


class ParsedOptions(SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT, _ResponseT, _ParsedT], total=False):
    """The options of a call that returns the result of a parser of the response."""

    stream: Literal[False]
    tools: Tools | None
    response_model: None
    output_parser: Required[Callable[[_ResponseT], _ParsedT]]


class StreamedOptions(SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT], total=False):
    """The options of a call that returns a stream."""

    stream: Required[Literal[True] | StreamConfig]
    tools: Tools | None
    response_model: None
    output_parser: None


class ModelOptions(SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT, _ModelT], total=False):
    """The options of a call that returns the response model."""

    stream: Literal[False]
    tools: None
    response_model: Required[TypeForm[_ModelT]]
    output_parser: None


class ParsedModelOptions(
    SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT, _ModelT, _ParsedT], total=False
):
    """The options of a call that returns the result of a parser of the response model."""

    stream: Literal[False]
    tools: None
    response_model: Required[TypeForm[_ModelT]]
    output_parser: Required[Callable[[_ModelT], _ParsedT]]


class ModelOrToolOptions(SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT, _ModelT], total=False):
    """The options of a call that returns the response model, or the response if the model calls a tool."""

    stream: Literal[False]
    tools: Required[Tools]
    response_model: Required[TypeForm[_ModelT]]
    output_parser: None


class ParsedModelOrToolOptions(
    SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT, _ModelT, _ParsedT], total=False
):
    """The options of a call that returns the parsed response model, or the response if the model calls a tool."""

    stream: Literal[False]
    tools: Required[Tools]
    response_model: Required[TypeForm[_ModelT]]
    output_parser: Required[Callable[[_ModelT], _ParsedT]]


class StreamedModelOptions(SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT, _ModelT], total=False):
    """The options of a call that streams the response model."""

    stream: Required[Literal[True] | StreamConfig]
    tools: None
    response_model: Required[TypeForm[_ModelT]]
    output_parser: None


class StreamedModelOrToolOptions(SharedOptions[_ClientT, _ParamsT], Generic[_ClientT, _ParamsT, _ModelT], total=False):
    """The options of a call that streams the response model, or the response if the model calls a tool."""

    stream: Required[Literal[True] | StreamConfig]
    tools: Required[Tools]
    response_model: Required[TypeForm[_ModelT]]
    output_parser: None
