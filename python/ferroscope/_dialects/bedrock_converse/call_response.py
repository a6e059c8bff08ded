"""The response of a call in the Converse format, read from the SDK's dict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, cast

from pydantic import computed_field
from typing_extensions import TypeVar

from ...core.base._messages.provider_data import Endpoint
from ...core.base._tools.arguments import arguments_text, raise_if_cut_off, raise_if_failed
from ...core.base._tools.offered import offered_tool
from ...core.base._tools.output import outputs_as_text
from ...core.base.call_response import BaseCallResponse
from ...core.base.message_param import BaseMessageParam
from ...core.base.types import FinishReason
from .blocks import may_be_sent_back
from .extraction import FAILURES
from .messages import parse_message, parse_messages
from .tool import ConverseTool
from .types import Block, Message, Response, ToolDescription, Usage

if TYPE_CHECKING:
    from ...prices import Context

_ToolT = TypeVar("_ToolT", bound=ConverseTool, default=ConverseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)
_MessageParamT = TypeVar("_MessageParamT", default=Message)

_COMMON_FINISH_REASONS: Final[dict[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}


class ConverseCallResponse(
    BaseCallResponse[Response, _ToolT, ToolDescription, _DynamicConfigT, _MessageParamT, _CallParamsT, _MessageParamT],
    Generic[_ToolT, _DynamicConfigT, _CallParamsT, _MessageParamT],
):
    """A response in the Converse format; `response` is the dict that the SDK returns."""

    @property
    def _blocks(self) -> list[Block]:
        message = (self.response.get("output") or {}).get("message") or {}
        return message.get("content") or []

    @property
    def message(self) -> Message:
        """The message of the response, unchanged."""
        message: Message = self.response["output"]["message"]
        return message

    @computed_field  # type: ignore[prop-decorator]  # mypy: not yet for properties
    @property
    def content(self) -> str:
        """The text of the response: all its text blocks joined; empty if it has none."""
        return "".join(map(_text, self._blocks))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def thinking(self) -> str | None:
        """The readable reasoning of the model; None if the response has none."""
        thoughts = [block["reasoningContent"] for block in self._blocks if block.get("reasoningContent")]
        texts = [(thought.get("reasoningText") or {}).get("text") or "" for thought in thoughts]
        return "".join(texts) if thoughts else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def signature(self) -> str | None:
        """The signature of the first reasoning block; `message_param` has all of them."""
        thoughts = (block.get("reasoningContent") or {} for block in self._blocks)
        return next(filter(None, ((one.get("reasoningText") or {}).get("signature") for one in thoughts)), None)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def finish_reasons(self) -> list[str]:
        """The stop reason; empty if the response has none."""
        reason = self.response.get("stopReason")
        return [str(reason)] if reason else []

    @property
    def _asked_model(self) -> str:
        kwargs: Mapping[str, Any] = cast("Mapping[str, Any]", self.call_kwargs)
        return str(kwargs.get("modelId") or "")

    @property
    def _origin(self) -> Endpoint:
        return Endpoint(self._record.name, self._asked_model)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def model(self) -> str:
        """The model that a prompt router chose, or else the model of the request, because the response names none."""
        router = (self.response.get("trace") or {}).get("promptRouter") or {}
        return router.get("invokedModelId") or self._asked_model

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        """The id of the request, from the response's header `x-amzn-RequestId`."""
        return request_id(self.response.get("ResponseMetadata")) or ""

    @property
    def usage(self) -> Usage | None:
        """The token counts as the provider reports them; None if it reported none."""
        return self.response.get("usage")

    def _price_context(self) -> Context:
        asked: Any = cast("Mapping[str, Any]", self.call_kwargs).get("serviceTier")
        return {
            "service_tier": (self.response.get("serviceTier") or {}).get("type"),
            "requested_service_tier": (asked or {}).get("type"),
        }

    @computed_field(return_type=Any)  # type: ignore[prop-decorator]
    @cached_property
    def message_param(self) -> Message:
        """The response as a message for the next request.

        Blank texts and reasoning without a signature are left out, because the API refuses both in a request.
        """
        content = [block for block in self._blocks if not _is_blank(block) and may_be_sent_back(block, same_model=True)]
        return {"role": "assistant", "content": content or self._blocks}

    @cached_property
    def tools(self) -> list[_ToolT] | None:
        """The tool instances for the model's tool calls; None if the call offered no tools.

        Raises:
            ferroscope.errors.UnknownToolError: The model called a tool that was not offered.
            ferroscope.errors.ToolArgumentsError: The input is not a JSON object, or the response was blocked or is
                malformed.
            pydantic.ValidationError: The input does not fit the tool.
        """
        if not self.tool_types:
            return None
        by_name = {tool._name(): tool for tool in self.tool_types}
        # A call with a type is for a tool of the service.
        uses = [block for block in self._blocks if block.get("toolUse") and not block["toolUse"].get("type")]
        texts = self._call_texts([arguments_text(block["toolUse"].get("input")) for block in uses])
        calls = list(zip(uses, texts, strict=True))
        given = [(use["toolUse"].get("toolUseId"), use["toolUse"].get("name") or "", text) for use, text in calls]
        raise_if_failed(given, self._failure_reason)
        raise_if_cut_off(given, self._cut_off_reason)
        return [self._tool(by_name, block, text) for block, text in calls]

    @property
    def _failure_reason(self) -> str | None:
        return next((reason for reason in self.finish_reasons if reason in FAILURES), None)

    @staticmethod
    def _tool(by_name: Mapping[str, type[_ToolT]], block: Block, arguments: str) -> _ToolT:
        name, call_id = block["toolUse"].get("name") or "", block["toolUse"].get("toolUseId")
        tool_type = offered_tool(by_name, name, call_id, arguments)
        tool = tool_type.from_arguments(id=call_id, name=name, arguments=arguments)
        vars(tool)["tool_call"] = block
        return tool

    @classmethod
    def tool_message_params(cls, tools_and_outputs: Sequence[tuple[_ToolT, object]]) -> list[Message]:
        """Return the message with the outputs of tools; no message if there are none.

        The API requires the results of parallel calls in one message.
        """
        results = [_result(tool, output) for tool, output in outputs_as_text(tools_and_outputs)]
        return [{"role": "user", "content": results}] if results else []

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The stop reason in common terms; None if it has no common form."""
        return common_finish_reasons(self.finish_reasons)

    @property
    def common_message_param(self) -> BaseMessageParam:
        """The response in the common message format."""
        return parse_message({"role": "assistant", "content": self._blocks}, self._origin)

    @property
    def common_user_message_param(self) -> BaseMessageParam | None:
        """The user's last message in the common message format."""
        return parse_message(cast("Any", self.user_message_param)) if self.user_message_param else None

    @property
    def common_messages(self) -> list[BaseMessageParam]:
        """The messages of the request in the common message format, the system prompt first."""
        messages: list[Any] = list(self.messages)
        if system := cast("Mapping[str, Any]", self.call_kwargs).get("system"):
            messages.insert(0, {"role": "system", "content": system})
        return parse_messages(messages, self._origin)


def common_finish_reasons(reasons: Sequence[str] | None) -> list[FinishReason] | None:
    """Return stop reasons in common terms; None if none of them is known."""
    known: list[FinishReason] = [
        _COMMON_FINISH_REASONS[reason] for reason in reasons or () if reason in _COMMON_FINISH_REASONS
    ]
    return known or None


def request_id(metadata: Mapping[str, Any] | None) -> str | None:
    """Return the id of a request from `ResponseMetadata`, which AWS's SDKs build from the response's headers."""
    return (metadata or {}).get("RequestId")


def _text(block: Block) -> str:
    if cited := block.get("citationsContent"):
        return "".join(map(_text, cited.get("content") or ()))
    return block.get("text") or ""


def _is_blank(block: Block) -> bool:
    text = block.get("text")
    return isinstance(text, str) and not text.strip()


def _result(tool: ConverseTool, text: str) -> Block:
    # The API refuses blank texts.
    content = [{"text": text}] if text.strip() else []
    return {"toolResult": {"toolUseId": tool.id, "content": content}}
