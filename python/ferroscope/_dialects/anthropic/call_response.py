"""A response of Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, cast

from pydantic import computed_field
from typing_extensions import TypeVar

from ...core.base._tools.arguments import arguments_text, raise_if_cut_off
from ...core.base._tools.offered import offered_tool
from ...core.base._tools.output import outputs_as_text
from ...core.base.call_response import BaseCallResponse
from ...core.base.message_param import BaseMessageParam
from ...core.base.types import FinishReason
from .messages import parse_message, parse_messages
from .system import join_system
from .tool import MessagesTool

if TYPE_CHECKING:
    from anthropic.types import Message, MessageParam, ToolParam, Usage

_ToolT = TypeVar("_ToolT", bound=MessagesTool, default=MessagesTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)

_COMMON_FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class MessagesCallResponse(
    BaseCallResponse["Message", _ToolT, "ToolParam", _DynamicConfigT, "MessageParam", _CallParamsT, "MessageParam"],
    Generic[_ToolT, _DynamicConfigT, _CallParamsT],
):
    """A response in the Messages format; `response` is the SDK's `Message`."""

    def _blocks(self, kind: str) -> list[Any]:  # Any: the SDK's class of that block type
        return [block for block in self.response.content or () if block.type == kind]

    @computed_field  # type: ignore[prop-decorator]  # mypy: not yet for properties
    @property
    def content(self) -> str:
        """The text of the response, concatenated from its text blocks; empty if it has no text."""
        return "".join(block.text or "" for block in self._blocks("text"))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def thinking(self) -> str | None:
        """The model's thinking, concatenated from its thinking blocks; None if the response has none."""
        blocks = self._blocks("thinking")
        return "".join(block.thinking or "" for block in blocks) if blocks else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def signature(self) -> str | None:
        """The signature of the first thinking block, or None; `message_param` contains all signatures."""
        return next((getattr(block, "signature", None) for block in self._blocks("thinking")), None)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def finish_reasons(self) -> list[str]:
        """The stop reason as a list of one; empty if the provider reported none."""
        return [str(self.response.stop_reason)] if self.response.stop_reason else []

    @computed_field  # type: ignore[prop-decorator]
    @property
    def model(self) -> str:
        """The name of the model that responded."""
        return self.response.model

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        """The provider's id of the response."""
        return self.response.id

    @property
    def usage(self) -> Usage:
        """The token counts as the provider reports them."""
        return self.response.usage

    @computed_field(return_type=Any)  # type: ignore[prop-decorator]  # the SDK's type is not loaded here
    @cached_property
    def message_param(self) -> MessageParam:
        """The response as a message to continue with, including thinking blocks and results of server tools."""
        dumped = [block.model_dump(exclude_unset=True, warnings=False) for block in self.response.content or ()]
        # The API sends empty text blocks, but rejects them in requests.
        content = [block for block in dumped if block.get("text") != "" or block["type"] != "text"]
        return cast("MessageParam", {"role": "assistant", "content": content or dumped})

    @cached_property
    def tools(self) -> list[_ToolT] | None:
        """The tools that the model called; None if the call offered no tools.

        Raises:
            ferroscope.errors.UnknownToolError: The model called a tool that the call did not offer.
            ferroscope.errors.ToolArgumentsError: The arguments are not a JSON object.
            pydantic.ValidationError: The arguments do not match the tool's fields.
        """
        if not self.tool_types:
            return None
        by_name = {tool._name(): tool for tool in self.tool_types}
        blocks = self._blocks("tool_use")
        texts = self._call_texts([arguments_text(block.input) for block in blocks])
        calls = list(zip(blocks, texts, strict=True))
        raise_if_cut_off([(block.id, block.name, text) for block, text in calls], self._cut_off_reason)
        return [_tool(by_name, block, text) for block, text in calls]

    @classmethod
    def tool_message_params(cls, tools_and_outputs: Sequence[tuple[_ToolT, object]]) -> list[MessageParam]:
        """Return the message with the tools' outputs; an empty list if there are none."""
        results = [_result(tool, output) for tool, output in outputs_as_text(tools_and_outputs)]
        return [cast("MessageParam", {"role": "user", "content": results})] if results else []

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reason in the common vocabulary, as a list of one; None if it has no common equivalent."""
        return common_finish_reasons(self.finish_reasons)

    @property
    def common_message_param(self) -> BaseMessageParam:
        """The response as a common message, for any provider."""
        return parse_message(cast("dict[str, Any]", self.message_param), self._origin)

    @property
    def common_user_message_param(self) -> BaseMessageParam | None:
        """The user's last message as a common message; None if the last message is not the user's."""
        return parse_message(cast("Any", self.user_message_param)) if self.user_message_param else None

    @property
    def common_messages(self) -> list[BaseMessageParam]:
        """The messages of the request as common messages, the system prompt first."""
        messages: list[Any] = list(self.messages)  # Any: dicts in the SDK's format
        if system := self.call_kwargs.get("system"):
            contents = [system if isinstance(system, str) else list(cast("Iterable[Any]", system))]
            messages.insert(0, {"role": "system", "content": join_system(contents)})
        return parse_messages(messages, self._origin)


def common_finish_reasons(reasons: Sequence[str] | None) -> list[FinishReason] | None:
    """Return stop reasons in the common vocabulary; None if none of them has a common equivalent."""
    found: list[FinishReason] = [
        _COMMON_FINISH_REASONS[reason] for reason in reasons or () if reason in _COMMON_FINISH_REASONS
    ]
    return found or None


def _result(tool: MessagesTool, text: str) -> dict[str, Any]:  # Any: JSON
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool.id}
    # The API rejects empty text, but accepts a result without content.
    return {**result, "content": [{"type": "text", "text": text}]} if text else result


def _tool(by_name: dict[str, type[_ToolT]], call: Any, arguments: str) -> _ToolT:  # Any: the SDK's `ToolUseBlock`
    tool_type = offered_tool(by_name, call.name, call.id, arguments)
    tool = tool_type.from_arguments(id=call.id, name=call.name, arguments=arguments)
    vars(tool)["tool_call"] = call
    return tool
