"""A response of Cohere's v2 chat, read from the SDK's object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, cast

from pydantic import computed_field
from typing_extensions import TypeVar

from ...core.base._tools.arguments import raise_if_cut_off, raise_if_failed
from ...core.base._tools.offered import offered_tool
from ...core.base._tools.output import outputs_as_text
from ...core.base.call_response import BaseCallResponse
from ...core.base.message_param import BaseMessageParam
from ...core.base.tool import BaseTool
from ...core.base.types import FinishReason
from ..sdk_model import member
from .messages import answer_message, parse_message, parse_messages, result_content

if TYPE_CHECKING:
    from cohere import Citation, ToolV2, Usage, V2ChatResponse

_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)

FAILURES: Final = frozenset({"ERROR", "TIMEOUT"})
"""The finish reasons of a failed generation. They have no common form."""

# https://docs.cohere.com/v2/reference/chat; the last three are from the old API, which some deployments still use.
_COMMON_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "USER_CANCEL": "stop",
    "ERROR_LIMIT": "length",
    "ERROR_TOXIC": "content_filter",
}


class ChatV2CallResponse(
    BaseCallResponse[
        "V2ChatResponse",
        _ToolT,
        "ToolV2",
        _DynamicConfigT,
        dict[str, Any],
        _CallParamsT,
        dict[str, Any],
    ],
    Generic[_ToolT, _DynamicConfigT, _CallParamsT],
):
    """A response in Cohere's v2 chat format."""

    @property
    def _message(self) -> Any:  # Any: the SDK's message; None if the server sent none
        return getattr(self.response, "message", None)

    @computed_field  # type: ignore[prop-decorator]  # mypy: not yet for properties
    @property
    def content(self) -> str:
        """The text of the answer; empty if it has none. The tool plan is not part of it."""
        return text_of(self._message)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def thinking(self) -> str:
        """The model's thinking, then its plan for the tool calls; empty if it sent neither."""
        blocks = member(self._message, "content")
        thoughts = [member(block, "thinking") or "" for block in blocks] if isinstance(blocks, list) else []
        return "".join([*thoughts, member(self._message, "tool_plan") or ""])

    @property
    def citations(self) -> list[Citation]:
        """The citations, each with its place in the text (in characters) and its sources."""
        return list(member(self._message, "citations") or ())

    @computed_field  # type: ignore[prop-decorator]
    @property
    def finish_reasons(self) -> list[str]:
        """The finish reason, in Cohere's words; empty if there is none."""
        reason = getattr(self.response, "finish_reason", None)
        return [str(reason)] if reason else []

    @computed_field  # type: ignore[prop-decorator]
    @property
    def model(self) -> str:
        """The model of the request, because Cohere's responses do not name one. Those of a gateway may."""
        return str(getattr(self.response, "model", None) or cast("Mapping[str, Any]", self.call_kwargs)["model"])

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        """The provider's id of the response."""
        return self.response.id

    @property
    def usage(self) -> Usage | None:
        """The SDK's usage object; `billed_units` has the counts that are billed."""
        return getattr(self.response, "usage", None)

    @computed_field(return_type=Any)  # type: ignore[prop-decorator]  # a plain dict
    @cached_property
    def message_param(self) -> dict[str, Any]:
        """The answer as a message for the next request: plan, calls, thinking, text and citations."""
        return answer_message(self._message)

    @cached_property
    def tools(self) -> list[_ToolT] | None:
        """The tool instances for the model's tool calls; None if it called none.

        Raises:
            ferroscope.errors.UnknownToolError: It called a tool that was not offered.
            ferroscope.errors.ToolArgumentsError: The generation failed, or arguments are not a JSON object.
            pydantic.ValidationError: Arguments do not fit their tool.
        """
        calls = member(self._message, "tool_calls")
        if not self.tool_types or not calls:
            return None
        by_name = {tool._name(): tool for tool in self.tool_types}
        calls = [call for call in calls if getattr(call, "function", None)]
        given = [(call.id, call.function.name, call.function.arguments or "") for call in calls]
        raise_if_failed(given, self._failure_reason)
        raise_if_cut_off(given, self._cut_off_reason)
        return [self._tool(by_name, call) for call in calls]

    @property
    def _failure_reason(self) -> str | None:
        return next((reason for reason in self.finish_reasons if reason in FAILURES), None)

    def _tool(self, by_name: Mapping[str, type[_ToolT]], call: Any) -> _ToolT:
        name, arguments = call.function.name, call.function.arguments or ""
        tool_type: Any = offered_tool(by_name, name, call.id, arguments)
        return cast("_ToolT", tool_type.from_tool_call(call))

    @classmethod
    def tool_message_params(cls, tools_and_outputs: Sequence[tuple[_ToolT, object]]) -> list[dict[str, Any]]:
        """Return the messages with the outputs of tools, each as the text of a JSON object."""
        return [
            {"role": "tool", "tool_call_id": tool.id, "content": result_content(output)}
            for tool, output in outputs_as_text(tools_and_outputs)
        ]

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reason in common terms; None if it has no common form, such as that of a failed generation."""
        return common_finish_reasons(self.finish_reasons)

    @property
    def common_message_param(self) -> BaseMessageParam:
        """The answer in the common message format."""
        return parse_message(self.message_param, self._origin)

    @property
    def common_user_message_param(self) -> BaseMessageParam | None:
        """The user's last message in the common message format."""
        return parse_message(self.user_message_param) if self.user_message_param else None

    @property
    def common_messages(self) -> list[BaseMessageParam]:
        """The messages of the request in the common message format, the preamble first."""
        preamble = cast("Mapping[str, Any]", self.call_kwargs)["messages"][:1]
        is_added = bool(preamble) and member(preamble[0], "role") == "system" and preamble != self.messages[:1]
        return parse_messages([*preamble, *self.messages] if is_added else self.messages, self._origin)


def text_of(message: Any) -> str:
    """Return the text of a message: its string, or the text of its text blocks."""
    content = member(message, "content")
    if isinstance(content, str):
        return content
    return "".join(member(block, "text") or "" for block in content or ())


def common_finish_reasons(reasons: Sequence[str] | None) -> list[FinishReason] | None:
    """Return finish reasons in common terms; None if none of them is known."""
    return [_COMMON_FINISH_REASONS[reason] for reason in reasons or () if reason in _COMMON_FINISH_REASONS] or None
