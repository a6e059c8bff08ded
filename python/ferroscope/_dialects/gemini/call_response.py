"""A response in Gemini's format, read from the SDK's object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, cast

from pydantic import computed_field
from typing_extensions import TypeVar

from ...core.base._tools.arguments import cut_off_error, raise_if_failed
from ...core.base._tools.offered import offered_tool
from ...core.base._tools.output import outputs_as_text
from ...core.base.call_response import BaseCallResponse
from ...core.base.message_param import BaseMessageParam
from ...core.base.types import CostMetadata, FinishReason, GoogleMetadata
from .finish_reasons import are_runnable, block_reason, common_finish_reasons, finish_reasons, word
from .messages import join_system, parse_message, parse_messages, pieces_of
from .parts import as_piece
from .tool import ContentTool

if TYPE_CHECKING:
    from google.genai.types import (
        ContentDict,
        GenerateContentResponse,
        GenerateContentResponseUsageMetadata,
        Tool,
    )

    from ...prices import Context

# Any: the SDK's objects, and parts in any form.
_ToolT = TypeVar("_ToolT", bound=ContentTool, default=ContentTool)
_DynamicConfigT = TypeVar("_DynamicConfigT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)


class ContentCallResponse(
    BaseCallResponse[
        "GenerateContentResponse",
        _ToolT,
        "Tool",
        _DynamicConfigT,
        "ContentDict",
        _CallParamsT,
        "ContentDict",
    ],
    Generic[_ToolT, _DynamicConfigT, _CallParamsT],
):
    """A response in Gemini's format, for any provider."""

    @property
    def _parts(self) -> Sequence[Any]:
        """The parts of the first candidate."""
        return first_parts(self.response)

    @computed_field  # type: ignore[prop-decorator]  # mypy: not yet for properties
    @property
    def content(self) -> str:
        """The text of the first candidate: all text parts joined, without thoughts; empty if it has none."""
        return "".join(part.text or "" for part in self._parts if not part.thought)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def thinking(self) -> str | None:
        """The model's thoughts; None if it shows none."""
        thoughts = [part.text or "" for part in self._parts if part.thought]
        return "".join(thoughts) if thoughts else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def finish_reasons(self) -> list[str]:
        """The finish reason of each candidate, or the reason why the prompt was blocked; empty if there is none."""
        return finish_reasons(self.response)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def model(self) -> str:
        """The model that answered, or the model of the request if the response does not name one."""
        asked = cast("Mapping[str, Any]", self.call_kwargs).get("model")
        return self.response.model_version or str(asked or "")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str | None:
        """The provider's id of the response."""
        return self.response.response_id

    @property
    def usage(self) -> GenerateContentResponseUsageMetadata | None:
        """The provider's usage object."""
        return self.response.usage_metadata

    @property
    def cost_metadata(self) -> CostMetadata:
        """The counts that the price of the call depends on."""
        metadata = super().cost_metadata
        metadata.google = GoogleMetadata(use_vertex_ai=self._is_vertex, grounding_requests=self._searches or None)
        return metadata

    @property
    def _is_vertex(self) -> bool:
        """Whether Vertex AI answered. Only Vertex AI reports a traffic type."""
        return getattr(self.usage, "traffic_type", None) is not None

    @property
    def _searches(self) -> int:
        """The number of grounded answers that Google bills: one, for any number of searches."""
        candidates = self.response.candidates or ()
        grounded = (getattr(candidate, "grounding_metadata", None) for candidate in candidates)
        return int(any(found is not None and found.web_search_queries for found in grounded))

    def _price_context(self) -> Context:
        """Return the billed searches and the service tier, whose prices differ between Vertex AI and the Gemini API."""
        context: Context = {}
        if searches := self._searches:
            context["tool_calls"] = {"web_search": searches}
        traffic = word(getattr(self.usage, "traffic_type", None)).lower()
        tier = word(getattr(self.usage, "service_tier", None)).lower() or traffic.removeprefix("on_demand_")
        if tier in ("flex", "priority"):
            context["service_tier"] = tier
        return context

    @computed_field(return_type=Any)  # type: ignore[prop-decorator]  # the SDK's type is not loaded here
    @cached_property
    def message_param(self) -> ContentDict:
        """The answer as a content for the next request. Thoughts and signatures stay on their parts."""
        return cast("ContentDict", {"role": "model", "parts": [as_piece(part) for part in self._parts]})

    @cached_property
    def tools(self) -> list[_ToolT] | None:
        """The tool instances for the model's function calls; None if the call offered no tools.

        Raises:
            ferroscope.errors.UnknownToolError: It called a tool that was not offered.
            ferroscope.errors.ToolArgumentsError: A call was cut off, or the answer was blocked or is malformed.
            pydantic.ValidationError: Arguments do not fit their tool.
        """
        if not self.tool_types:
            return None
        by_name = {tool._name(): tool for tool in self.tool_types}
        calls = self._calls
        texts = self._call_texts([json.dumps(call.args or {}) for call in calls])
        given = [(call.id, call.name or "", text) for call, text in zip(calls, texts, strict=True)]
        raise_if_failed(given, self._failure_reason)
        for call, known in zip(calls, given, strict=True):
            if getattr(call, "will_continue", None):
                raise cut_off_error(*known, self._cut_off_reason or "the call never ended")
        return [_tool(by_name, call) for call in calls]

    @property
    def _calls(self) -> list[Any]:
        """The function calls, those that cannot be run among them."""
        return [part.function_call for part in self._parts if part.function_call is not None]

    @property
    def _failure_reason(self) -> str | None:
        reasons = self.finish_reasons
        return None if are_runnable(reasons) else reasons[0]

    @classmethod
    def tool_message_params(cls, tools_and_outputs: Sequence[tuple[_ToolT, object]]) -> list[ContentDict]:
        """Return the content with the tools' outputs; no content if there are none."""
        parts = [{"function_response": _result(tool, output)} for tool, output in outputs_as_text(tools_and_outputs)]
        return [cast("ContentDict", {"role": "user", "parts": parts})] if parts else []

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reason of each candidate in common terms.

        None for reasons without a common form, such as `MALFORMED_FUNCTION_CALL`.
        """
        blocked = bool(block_reason(self.response)) and not self.response.candidates
        calls = any(not getattr(call, "will_continue", None) for call in self._calls)
        return common_finish_reasons(self.finish_reasons, blocked=blocked, calls=calls)

    @property
    def common_message_param(self) -> BaseMessageParam:
        """The answer in the common message format."""
        return parse_message(cast("dict[str, Any]", self.message_param), self._origin)

    @property
    def common_user_message_param(self) -> BaseMessageParam | None:
        """The user's last message in the common message format."""
        return parse_message(cast("Any", self.user_message_param)) if self.user_message_param else None

    @property
    def common_messages(self) -> list[BaseMessageParam]:
        """The messages of the request in the common message format, the system prompt first."""
        messages: list[Any] = list(self.messages)
        config = cast("Mapping[str, Any]", self.call_kwargs).get("config") or {}
        if system := config.get("system_instruction"):
            parts = pieces_of(join_system(system, []))
            messages.insert(0, {"role": "system", "parts": parts})
        return parse_messages(messages, self._origin)


def first_parts(response: Any) -> Sequence[Any]:
    """Return the parts of the first candidate of a response."""
    candidates: Iterable[Any] = response.candidates or ()
    first = next((candidate for candidate in candidates if not candidate.index), None)
    content = getattr(first, "content", None)
    return (content.parts or ()) if content is not None else ()


def _result(tool: ContentTool, text: str) -> dict[str, Any]:
    result: dict[str, Any] = {"name": tool._name(), "response": {"result": text}}
    return {**result, "id": tool.id} if tool.id else result


def _tool(by_name: Mapping[str, type[_ToolT]], call: Any) -> _ToolT:
    return offered_tool(by_name, call.name, call.id, str(call.args)).from_tool_call(call)
