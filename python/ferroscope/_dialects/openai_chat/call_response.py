"""A response in the chat-completions format, read from the SDK's object."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeAlias, cast

from pydantic import PlainSerializer, computed_field
from typing_extensions import TypeVar

from ...core.base._tools.arguments import arguments_text, raise_if_cut_off, raise_if_failed
from ...core.base._tools.offered import offered_tool
from ...core.base._tools.output import outputs_as_text
from ...core.base.call_response import BaseCallResponse
from ...core.base.message_param import BaseMessageParam
from ...core.base.quirks import Quirks
from ...core.base.tool import BaseTool
from ...core.base.types import FinishReason
from ..sdk_model import arguments_of, member
from .message_parts import FUNCTION_CALL
from .messages import parse_message, parse_messages, plain_message

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionAssistantMessageParam,
        ChatCompletionMessageParam,
        ChatCompletionToolMessageParam,
        ChatCompletionToolParam,
        ChatCompletionUserMessageParam,
    )
    from openai.types.completion_usage import CompletionUsage

    from ...prices import Context

_ResponseT = TypeVar("_ResponseT", default=Any)
_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)
# The SDKs for this format use the same names for their message types.
_MessageParamT = TypeVar("_MessageParamT", default="ChatCompletionMessageParam")
_ToolSchemaT = TypeVar("_ToolSchemaT", default="ChatCompletionToolParam")
_UserMessageParamT = TypeVar("_UserMessageParamT", default="ChatCompletionUserMessageParam")

# Base64 in JSON, as in the response itself.
_Sound: TypeAlias = Annotated[
    bytes | None,
    PlainSerializer(lambda data: data and base64.b64encode(data).decode(), return_type=str | None, when_used="json"),
]

# The members of a response message that a request does not accept.
_NOT_SENT_BACK = frozenset({"audio", "parsed"})

# OpenAI's own finish reasons, and those of other servers that have one clear meaning.
_COMMON_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
}
# The finish reasons of servers whose model failed in the middle of the answer.
_FAILURES = frozenset({"error"})


class ChatCallResponse(
    BaseCallResponse[
        _ResponseT,
        _ToolT,
        _ToolSchemaT,
        _DynamicConfigT,
        _MessageParamT,
        _CallParamsT,
        _UserMessageParamT,
    ],
    Generic[
        _ResponseT,
        _ToolT,
        _DynamicConfigT,
        _CallParamsT,
        _MessageParamT,
        _ToolSchemaT,
        _UserMessageParamT,
    ],
):
    """A response in the chat-completions format, for any provider."""

    # The members of a response message that the provider accepts in a request; None if it accepts all of them.
    _sent_back: ClassVar[frozenset[str] | None] = None

    @property
    def _completion(self) -> Any:  # Any: the SDK's `ChatCompletion`, or one like it
        return self.response

    @property
    def _message(self) -> Any:
        """The message of the first choice; None if the server sent no choice."""
        choices = self._completion.choices
        return choices[0].message if choices else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def content(self) -> str:
        """The text of the first choice; empty if it has none."""
        content = getattr(self._message, "content", None)
        if isinstance(content, list):
            return "".join(member(part, "text") or "" for part in content if member(part, "type") == "text")
        return content or ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def finish_reasons(self) -> list[str]:
        """The finish reason of each choice. A choice without one is left out."""
        choices = self._completion.choices or []
        return [word(choice.finish_reason) for choice in choices if getattr(choice, "finish_reason", None)]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def model(self) -> str:
        """The model that answered."""
        return cast("str", self._completion.model)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        """The provider's id of the response."""
        return cast("str", self._completion.id)

    @property
    def usage(self) -> CompletionUsage | None:
        """The provider's usage object."""
        return usage_of(self._completion, self._record.quirks)

    def _price_context(self) -> Context:
        """Return the service tier that served the call, and the requested tier as a fallback."""
        return {
            "service_tier": getattr(self._completion, "service_tier", None),
            "requested_service_tier": cast("Mapping[str, Any]", self.call_kwargs).get("service_tier"),
        }

    @property
    def thinking(self) -> str:
        """The model's reasoning, from servers that show it; empty otherwise."""
        return thinking(self._message, self._record.quirks)

    @computed_field(return_type=Any)  # type: ignore[prop-decorator]  # the SDK's type is not loaded here
    @cached_property
    def message_param(self) -> ChatCompletionAssistantMessageParam:
        """The answer as a message for the next request."""
        answer = self._answer()
        if self._sent_back is not None:
            answer = {name: value for name, value in answer.items() if name in self._sent_back}
        if audio := getattr(self._message, "audio", None):
            answer["audio"] = {"id": audio.id}
        return cast("ChatCompletionAssistantMessageParam", answer)

    def _answer(self) -> dict[str, Any]:
        """Return the answer with the members that a request can carry."""
        if self._message is None:
            return {"role": "assistant", "content": self.content}
        answer = {"role": "assistant", "content": None, **plain_message(self._message)}
        for call in answer.get("tool_calls") or ():
            if isinstance(call, dict):
                # The position in the list is the index. Strict servers refuse the member.
                call.pop("index", None)
                function = call.get("function")
                if isinstance(function, dict) and not isinstance(function.get("arguments"), str):
                    # Some servers send an object, and accept only its JSON text in a request.
                    call["function"] = {**function, "arguments": arguments_text(function.get("arguments"))}
        if answer.get("tool_calls") or not (answer.get(FUNCTION_CALL) or {}).get("name"):
            # Some servers send the call also in the form of the old API, or an empty call in that form.
            answer.pop(FUNCTION_CALL, None)
        return {name: value for name, value in answer.items() if name not in _NOT_SENT_BACK}

    @cached_property
    def tools(self) -> list[_ToolT] | None:
        """The tool instances for the model's tool calls; None if it called none.

        Raises:
            ValueError: The model refused; the message is its refusal.
            ferroscope.errors.UnknownToolError: It called a tool that was not offered.
            ferroscope.errors.ToolArgumentsError: Arguments are not a JSON object.
            pydantic.ValidationError: Arguments do not fit their tool.
        """
        message = self._message
        if refusal := member(message, "refusal"):
            raise ValueError(refusal)
        calls = getattr(message, "tool_calls", None)
        if not self.tool_types or not calls:
            return None
        by_name = {tool._name(): tool for tool in self.tool_types}
        calls = [call for call in calls if getattr(call, "function", None)]
        given = [(call.id, call.function.name, arguments_of(call.function)) for call in calls]
        raise_if_failed(given, self._failure_reason)
        raise_if_cut_off(given, self._cut_off_reason)
        return [self._tool(by_name, call) for call in calls]

    @property
    def _failure_reason(self) -> str | None:
        return next((reason for reason in self.finish_reasons[:1] if reason in _FAILURES), None)

    @staticmethod
    def _tool(by_name: dict[str, type[_ToolT]], call: Any) -> _ToolT:
        tool_type: Any = offered_tool(by_name, call.function.name, call.id, arguments_of(call.function))
        return cast("_ToolT", tool_type.from_tool_call(call))

    @classmethod
    def tool_message_params(
        cls, tools_and_outputs: Sequence[tuple[_ToolT, object]]
    ) -> list[ChatCompletionToolMessageParam]:
        """Return the messages with the outputs of tools."""
        messages = (
            {"role": "tool", "content": output, "tool_call_id": tool.id, "name": tool._name()}
            for tool, output in outputs_as_text(tools_and_outputs)
        )
        return [cast("ChatCompletionToolMessageParam", message) for message in messages]

    @computed_field(return_type=_Sound)  # type: ignore[prop-decorator]
    @property
    def audio(self) -> bytes | None:
        """The audio of the answer; None if there is none."""
        audio = getattr(self._message, "audio", None)
        return base64.b64decode(audio.data) if audio and getattr(audio, "data", None) else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def audio_transcript(self) -> str | None:
        """The transcript of the audio; None if there is no audio."""
        return getattr(getattr(self._message, "audio", None), "transcript", None)

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reason of each choice in common terms."""
        return common_finish_reasons(self.finish_reasons, self._record.quirks)

    @property
    def common_message_param(self) -> BaseMessageParam:
        """The answer in the common message format."""
        answer = self._answer()
        if spoken := getattr(self._message, "audio", None):
            answer["audio"] = {"id": spoken.id, "transcript": spoken.transcript}
        return parse_message(answer, self._origin)

    @property
    def common_user_message_param(self) -> BaseMessageParam | None:
        """The user's last message in the common message format."""
        return parse_message(cast("Any", self.user_message_param)) if self.user_message_param else None

    @property
    def common_messages(self) -> list[BaseMessageParam]:
        """The messages of the request in the common message format."""
        return parse_messages(cast("list[Any]", self.messages), self._origin)


def word(value: Any) -> str:
    """Return a string of the provider's, which an SDK may represent as a member of an enum."""
    return str(value.value if isinstance(value, Enum) else value)


def usage_of(completion: Any, quirks: Quirks) -> CompletionUsage | None:
    """Return the usage object of a completion or a chunk: at the top, in a server's own member, or in the choice."""
    found = getattr(completion, "usage", None)
    if found is None and quirks.usage_in is not None:
        found = member(member(completion, quirks.usage_in), "usage")
    if found is None and (choices := getattr(completion, "choices", None)):
        found = getattr(choices[0], "usage", None)
    return cast("CompletionUsage | None", found)


def thinking(message: Any, quirks: Quirks) -> str:
    """Return the reasoning in a message or a delta."""
    for field in quirks.reasoning_fields:
        if text := member(message, field):
            return str(text)
    content = getattr(message, "content", None)
    if not isinstance(content, list):
        return ""
    thoughts = (member(part, "thinking") or [] for part in content if member(part, "type") == "thinking")
    return "".join(member(piece, "text") or "" for pieces in thoughts for piece in pieces)


def common_finish_reasons(reasons: Sequence[str] | None, quirks: Quirks) -> list[FinishReason] | None:
    """Return finish reasons in common terms; None if none of them is known."""
    words: Mapping[str, FinishReason] = (
        {**_COMMON_FINISH_REASONS, **quirks.finish_reasons} if quirks.finish_reasons else _COMMON_FINISH_REASONS
    )
    known: list[FinishReason] = [words[reason] for reason in reasons or () if reason in words]
    return known or None
