"""The response of an `llm` call, the same for every provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import SerializationInfo, SerializerFunctionWrapHandler, computed_field, model_serializer

from ..core.base._tools.output import outputs_as_text
from ..core.base.call_response import AnyCallResponse, BaseCallResponse
from ..core.base.message_param import BaseMessageParam, ToolResultPart
from ..core.base.tool import BaseTool
from ..core.base.types import FinishReason, Provider, Usage
from .tool import Tool

if TYPE_CHECKING:
    from ..core.base.retry import Attempt
    from ..prices import Cost, Total

# The fields that both classes share. The messages are converted on first access.
_SHARED = tuple(name for name in BaseCallResponse.model_fields if name not in ("messages", "user_message_param"))


class CallResponse(BaseCallResponse[object, Tool, Any, Any, BaseMessageParam, Any, BaseMessageParam | None]):
    """The response of an `llm` call, in the form that all providers share.

    Messages are `BaseMessageParam`s; finish reasons and usage have the same form for all providers. Attributes that
    only the provider's response has (`thinking`, `audio`, …) can be read from it too. `response` is the SDK's object.

    Example:
        ```python
        from ferroscope import llm


        @llm.call(provider="openai", model="gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        response = recommend_book("fantasy")
        print(response.content, response.finish_reasons, response.usage)
        ```
    """

    # Any: each provider has its own type parameters.
    _response: AnyCallResponse

    def __init__(self, response: AnyCallResponse) -> None:
        # Skip pydantic's validation: the provider's response was validated when it was created.
        values = vars(response)
        set_attribute = object.__setattr__
        set_attribute(self, "__dict__", {name: values[name] for name in _SHARED})
        set_attribute(self, "__pydantic_fields_set__", response.__pydantic_fields_set__)
        set_attribute(self, "__pydantic_extra__", {})
        set_attribute(self, "__pydantic_private__", {"_response": response})

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            # Called for names that the class does not have: private attributes and those of the provider's response.
            try:
                private = object.__getattribute__(self, "__pydantic_private__")
            except AttributeError:
                private = None
            if private is None or name.startswith("__"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            if name in private:
                return private[name]
            extra = self.__pydantic_extra__
            return extra[name] if extra and name in extra else getattr(private["_response"], name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CallResponse) and self._response == other._response

    __hash__ = None  # type: ignore[assignment]  # as pydantic models: equal by value, so not hashable

    @model_serializer(mode="wrap")
    def _dump_whole(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """Serialize the messages, which are converted on first access, and the provider's own computed fields."""
        _ = self.messages, self.user_message_param
        dumped: dict[str, Any] = handler(self)
        added = type(self._response).model_computed_fields.keys() - type(self).model_computed_fields.keys()
        include, exclude = info.include, info.exclude
        added = {
            name
            for name in added
            if (include is None or name in include) and not (exclude is not None and name in exclude)
        }
        return dumped | self._response.model_dump(mode=info.mode, include=added) if added else dumped

    @property
    def provider(self) -> Provider:
        """The provider that was called."""
        return self._response.provider

    @computed_field  # type: ignore[prop-decorator]  # mypy: not yet for properties
    @property
    def content(self) -> str:
        """The text of the response; empty if it has no text."""
        return self._response.content

    @computed_field  # type: ignore[prop-decorator]
    @property
    def finish_reasons(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride,reportIncompatibleVariableOverride]
        self,
    ) -> list[FinishReason] | None:
        """The finish reason of each choice; None if the provider reported none."""
        return self._response.common_finish_reasons

    @computed_field  # type: ignore[prop-decorator]
    @property
    def model(self) -> str | None:
        """The name of the model that responded."""
        return self._response.model

    @computed_field  # type: ignore[prop-decorator]
    @property
    def id(self) -> str | None:
        """The provider's id of the response."""
        return self._response.id

    @property
    def usage(self) -> Usage | None:
        """The token counts of the call; None if the provider reported none."""
        return self._response.common_usage

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The requests of the call, including the last one; empty without the option `retry`."""
        return self._response.attempts

    def _set_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        self._response._set_attempts(attempts)

    @property
    def cached(self) -> bool:
        """Whether the response comes from the cache of the call, so that no request was sent."""
        return self._response.cached

    def _set_cached(self, cost: Cost) -> None:
        self._response._set_cached(cost)

    def _set_server_host(self, host: str) -> None:
        self._response._set_server_host(host)

    def _set_batch(self) -> None:
        self._response._set_batch()

    def _set_decoded_usage(self, usage: bytes | None, contradiction: str | None) -> None:
        self._response._set_decoded_usage(usage, contradiction)

    @property
    def _token_counts(  # pyright: ignore[reportIncompatibleVariableOverride]  # read through
        self,
    ) -> Mapping[str, int | None]:
        return self._response._token_counts

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def message_param(self) -> BaseMessageParam:
        """The response as a message, to continue the conversation with any provider."""
        return self._response.common_message_param

    @computed_field  # type: ignore[prop-decorator]
    @property
    def common_messages(self) -> list[BaseMessageParam]:
        """The same as `messages`."""
        return self.messages

    @cached_property
    def tools(self) -> list[Tool] | None:
        """The tools that the model called, as instances of the user's tool classes; None if it called none.

        Raises:
            ferroscope.errors.ToolError: A tool call cannot be converted to its tool.
            pydantic.ValidationError: The arguments do not match the tool's fields.
        """
        return self._response.tools

    @classmethod
    def tool_message_params(cls, tools_and_outputs: Sequence[tuple[BaseTool, object]]) -> list[BaseMessageParam]:
        """Return the messages that report the outputs of tools to the model."""
        return [_tool_message(tool, output) for tool, output in outputs_as_text(tools_and_outputs)]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cost(self) -> float | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The cost of the call, in USD; None if it is not known. `cost_details` has the reason."""
        return self._response.cost

    @property
    def cost_details(self) -> Cost:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The exact, itemised cost in USD: total, items, status, assumptions and the source of the prices."""
        return self._response.cost_details

    @property
    def _total_cost(self) -> Cost | Total:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._response._total_cost

    @property
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The same as `finish_reasons`."""
        return self._response.common_finish_reasons

    @property
    def common_message_param(self) -> BaseMessageParam:
        """The same as `message_param`."""
        return self.message_param

    @property
    def common_user_message_param(self) -> BaseMessageParam | None:
        """The same as `user_message_param`."""
        return self.user_message_param

    @property
    def common_tools(self) -> list[Tool] | None:
        """The same as `tools`."""
        return self.tools


def _tool_message(tool: BaseTool, output: str) -> BaseMessageParam:
    part = ToolResultPart(type="tool_result", name=tool._name(), content=output, id=tool.id)
    return BaseMessageParam(role="tool", content=[part])


class _LazyField:
    """A field that is converted on first access, because the conversion is expensive."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source

    def __get__(self, instance: CallResponse | None, owner: type[CallResponse]) -> object:
        if instance is None:
            # Pydantic expects this error for a field without a default on the class.
            raise AttributeError(self._name)
        value = vars(instance)[self._name] = getattr(instance._response, self._source)
        return value


setattr(CallResponse, "messages", _LazyField("messages", "common_messages"))  # noqa: B010
setattr(CallResponse, "user_message_param", _LazyField("user_message_param", "common_user_message_param"))  # noqa: B010
