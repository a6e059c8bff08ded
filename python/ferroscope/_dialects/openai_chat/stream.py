"""Streams in the chat-completions format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias

from typing_extensions import TypeVar

from ...core.base.stream import BaseStream
from ...core.base.tool import BaseTool
from ..sdk_model import member

if TYPE_CHECKING:
    from openai.types import CompletionUsage
    from openai.types.chat import (
        ChatCompletionAssistantMessageParam,
        ChatCompletionMessageParam,
        ChatCompletionToolMessageParam,
        ChatCompletionToolParam,
        ChatCompletionUserMessageParam,
    )

    from .call_response import ChatCallResponse
    from .call_response_chunk import ChatCallResponseChunk

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
"""The finish reasons of the format."""

# Any: a response and a chunk have type parameters of their own, which the provider's package fills in.
_CallResponseT = TypeVar("_CallResponseT", bound="ChatCallResponse[Any, Any, Any, Any, Any, Any, Any]", default=Any)
_ChunkT = TypeVar("_ChunkT", bound="ChatCallResponseChunk[Any, Any]", default=Any)
_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)
_FinishReasonT = TypeVar("_FinishReasonT", default=FinishReason)
# The SDKs for this format use the same names for their message types.
_MessageParamT = TypeVar("_MessageParamT", default="ChatCompletionMessageParam")
_ToolSchemaT = TypeVar("_ToolSchemaT", default="ChatCompletionToolParam")
_UserMessageParamT = TypeVar("_UserMessageParamT", default="ChatCompletionUserMessageParam")
_AssistantMessageParamT = TypeVar("_AssistantMessageParamT", default="ChatCompletionAssistantMessageParam")
_ToolMessageParamT = TypeVar("_ToolMessageParamT", default="ChatCompletionToolMessageParam")


class ChatStream(
    BaseStream[
        _CallResponseT,
        _ChunkT,
        _UserMessageParamT,
        _AssistantMessageParamT,
        _ToolMessageParamT,
        _MessageParamT,
        _ToolT,
        _ToolSchemaT,
        _DynamicConfigT,
        _CallParamsT,
        _FinishReasonT,
    ],
    Generic[
        _CallResponseT,
        _ChunkT,
        _ToolT,
        _DynamicConfigT,
        _CallParamsT,
        _FinishReasonT,
        _MessageParamT,
        _ToolSchemaT,
        _UserMessageParamT,
        _AssistantMessageParamT,
        _ToolMessageParamT,
    ],
):
    """A stream in the chat-completions format, for any provider."""

    if TYPE_CHECKING:
        # Narrower than the type in the base class, which depends on the provider.
        @property
        def usage(self) -> CompletionUsage | None:
            """The token counts that the provider has reported so far; None if it reported none."""
            ...

    @property
    def thinking(self) -> str:
        """The model's reasoning so far, from servers that show it; empty otherwise."""
        return self._run.reasoning

    @property
    def audio_id(self) -> str | None:
        """The id of the audio in the answer, for references in later messages."""
        response: Any = self._run.response()  # Any: a `ChatCallResponse`
        choices = response.response.choices
        identifier: str | None = member(getattr(choices[0].message, "audio", None), "id") if choices else None
        return identifier
