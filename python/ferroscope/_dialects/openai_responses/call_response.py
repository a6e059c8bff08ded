"""A response of the Responses API, read from the SDK's object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, cast

from pydantic import computed_field
from typing_extensions import TypeVar

from ...core.base._tools.arguments import raise_if_cut_off
from ...core.base._tools.offered import offered_tool
from ...core.base._tools.output import outputs_as_text
from ...core.base.call_response import BaseCallResponse
from ...core.base.message_param import BaseMessageParam
from ...core.base.tool import BaseTool
from ...core.base.types import FinishReason
from ...errors import ToolArgumentsError
from .items import is_hosted, plain_item
from .messages import parse_messages, parse_output
from .reading import (
    calls_of,
    common_finish_reasons,
    finish_reasons_of,
    items_of,
    member,
    parts_of,
    refusal_of,
    text_of,
    thinking_of,
)

if TYPE_CHECKING:
    from openai.types.responses import FunctionToolParam, Response, ResponseInputItemParam, ResponseUsage
    from openai.types.responses.response_input_param import FunctionCallOutput

    from ...prices import Context

_ToolT = TypeVar("_ToolT", bound=BaseTool, default=BaseTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)


class ResponsesCallResponse(
    BaseCallResponse[
        "Response",
        _ToolT,
        "FunctionToolParam",
        _DynamicConfigT,
        "ResponseInputItemParam",
        _CallParamsT,
        "ResponseInputItemParam",
    ],
    Generic[_ToolT, _DynamicConfigT, _CallParamsT],
):
    """A response of the Responses API, for any provider."""

    @computed_field  # type: ignore[prop-decorator]  # mypy: not yet for properties
    @property
    def content(self) -> str:
        """The text of all messages; empty if there is none."""
        return text_of(self.response)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def finish_reasons(self) -> list[str]:
        """The reason why the response is incomplete, or else its status; empty while a background run is in
        progress.
        """
        return finish_reasons_of(self.response)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def model(self) -> str:
        """The model that answered."""
        return str(self.response.model)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str:
        """The provider's id of the response, for `previous_response_id`."""
        return self.response.id

    @property
    def usage(self) -> ResponseUsage | None:
        """The provider's usage object."""
        return self.response.usage

    @computed_field  # type: ignore[prop-decorator]
    @property
    def thinking(self) -> str:
        """The summaries of the reasoning, or the reasoning itself where a server sends it; empty otherwise."""
        return thinking_of(self.response)

    @property
    def refusal(self) -> str | None:
        """The model's refusal; None if it did not refuse."""
        return refusal_of(self.response) or None

    @property
    def annotations(self) -> list[Any]:  # Any: the SDK's annotation objects, a class for each type
        """The annotations of the text: citations of pages and files."""
        return [one for part in parts_of(self.response, "output_text") for one in member(part, "annotations") or ()]

    @property
    def citations(self) -> list[str]:
        """The URLs that the text cites, each once."""
        urls = [member(one, "url") for one in self.annotations if member(one, "type") == "url_citation"]
        return list(dict.fromkeys(url for url in urls if url))

    @property
    def hosted_tool_calls(self) -> list[Any]:  # Any: the SDK's item objects, a class for each tool
        """The calls and results of hosted tools: web and file search, code interpreter, images, MCP and so on."""
        return [item for item in items_of(self.response) if is_hosted(plain_item(item))]

    @computed_field(return_type=Any)  # type: ignore[prop-decorator]  # the SDK's type is not loaded here
    @cached_property
    def message_param(self) -> dict[str, Any]:
        """The answer as a message for the next request. Its content is the list of items, with reasoning and hosted
        tools.
        """
        return {"role": "assistant", "content": [plain_item(item) for item in items_of(self.response)]}

    @cached_property
    def tools(self) -> list[_ToolT] | None:
        """The tool instances for the model's tool calls; None if it called none.

        Raises:
            ValueError: The model refused; the message is its refusal.
            ferroscope.errors.UnknownToolError: It called a tool that was not offered.
            ferroscope.errors.ToolArgumentsError: A call was cut off, or its arguments are not a JSON object.
            pydantic.ValidationError: Arguments do not fit their tool.
        """
        if refusal := self.refusal:
            raise ValueError(refusal)
        calls = calls_of(self.response)
        if not self.tool_types or not calls:
            return None
        by_name = {tool._name(): tool for tool in self.tool_types}
        given = [(member(call, "call_id"), member(call, "name"), member(call, "arguments") or "") for call in calls]
        raise_if_cut_off(given, self._cut_off_reason)
        return [self._tool(by_name, call) for call in calls]

    def _tool(self, by_name: Mapping[str, type[_ToolT]], call: Any) -> _ToolT:
        name, call_id, arguments = member(call, "name"), member(call, "call_id"), member(call, "arguments")
        if member(call, "status") == "incomplete":
            reason = ", ".join(self.finish_reasons)
            raise ToolArgumentsError(
                f"the call of {name!r} (call {call_id!r}) was cut off ({reason}): its arguments may be incomplete",
                name=name,
                call_id=call_id,
                arguments=arguments,
            )
        tool_type: Any = offered_tool(by_name, name, call_id, arguments)
        return cast("_ToolT", tool_type.from_tool_call(call))

    @classmethod
    def tool_message_params(cls, tools_and_outputs: Sequence[tuple[_ToolT, object]]) -> list[FunctionCallOutput]:
        """Return the items with the outputs of tools."""
        items = (
            {"type": "function_call_output", "call_id": tool.id, "output": output}
            for tool, output in outputs_as_text(tools_and_outputs)
        )
        return [cast("FunctionCallOutput", item) for item in items]

    def _price_context(self) -> Context:
        """Return the tier that served the call, and the calls of hosted tools, which cost extra."""
        context: Context = {
            "service_tier": getattr(self.response, "service_tier", None),
            "requested_service_tier": cast("Mapping[str, Any]", self.call_kwargs).get("service_tier"),
            "tool_calls": _hosted_calls(self.response),
        }
        containers = {member(call, "container_id") for call in items_of(self.response, "code_interpreter_call")}
        units = {
            "container_session": len(containers),
            "image": len(items_of(self.response, "image_generation_call")),
        }
        context["units"] = {unit: count for unit, count in units.items() if count}
        return context

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reasons in common terms."""
        return common_finish_reasons(self.finish_reasons, calls=bool(calls_of(self.response)))

    @property
    def common_message_param(self) -> BaseMessageParam:
        """The answer in the common message format."""
        return parse_output(self.message_param["content"], self._origin)

    @property
    def common_user_message_param(self) -> BaseMessageParam | None:
        """The user's last message in the common message format."""
        return parse_messages([self.user_message_param])[0] if self.user_message_param else None

    @property
    def common_messages(self) -> list[BaseMessageParam]:
        """The messages of the request in the common message format."""
        return parse_messages(self.messages, self._origin)


def _hosted_calls(response: Any) -> dict[str, int]:
    """Return the number of calls of each hosted tool that is billed per call."""
    reported = member(member(member(response, "tool_usage"), "web_search"), "num_requests")
    searches = items_of(response, "web_search_call")
    # Opening a page of the results is not a search. https://platform.openai.com/docs/pricing
    counted = sum(1 for call in searches if member(member(call, "action"), "type") in (None, "search"))
    calls = {
        "web_search": counted if reported is None else reported,
        "file_search": len(items_of(response, "file_search_call")),
    }
    return {name: count for name, count in calls.items() if count}
