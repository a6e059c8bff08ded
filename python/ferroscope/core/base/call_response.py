"""The response of a model, in the form that all providers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, cast

from pydantic import (
    ConfigDict,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    SkipValidation,
    computed_field,
    field_serializer,
)
from pydantic_core.core_schema import FieldSerializationInfo
from typing_extensions import TypeVar

from ..._core import token_counts
from ..._lazy import load_name
from ..._repr import Shown, html_block, readable
from ._messages.provider_data import Endpoint
from ._responses.identity import NO_PROVIDER, Identity
from ._responses.token_counts import TokenFields
from ._responses.user_provider import UserProvider, claim, counts_json
from ._tools.arguments import CUT_OFF
from ._tools.output import transform_tool_outputs as transform_tool_outputs  # v1 exports the name here
from .message_param import BaseMessageParam
from .tool import BaseTool
from .types import FinishReason, Provider

if TYPE_CHECKING:
    from ...prices import Context, Cost, Total
    from .call_kwargs import BaseCallKwargs
    from .metadata import Metadata
    from .retry import Attempt

# Any: SDK objects are passed through, and each provider has its own types.
_ResponseT = TypeVar("_ResponseT", default=Any)
_BaseToolT = TypeVar("_BaseToolT", bound=BaseTool, default=BaseTool)
_ToolSchemaT = TypeVar("_ToolSchemaT", default=Any)
_BaseDynamicConfigT = TypeVar("_BaseDynamicConfigT", default=Any)
_MessageParamT = TypeVar("_MessageParamT", default=Any)
_CallParamsT = TypeVar("_CallParamsT", default=Any)
_UserMessageParamT = TypeVar("_UserMessageParamT", default=Any)


class BaseCallResponse(
    TokenFields,
    Generic[
        _ResponseT,
        _BaseToolT,
        _ToolSchemaT,
        _BaseDynamicConfigT,
        _MessageParamT,
        _CallParamsT,
        _UserMessageParamT,
    ],
    ABC,
):
    """The response of a call: the SDK's own response, and properties for its common parts.

    Attributes:
        metadata: The metadata that `@metadata` or the dynamic config attached to the call.
        response: The SDK's own response object.
        tool_types: The tools that the call offered, as the provider's classes.
        prompt_template: The string template, if the prompt has one.
        fn_args: The arguments of the call, including computed fields.
        dynamic_config: The dynamic config that the prompt function returned, or None.
        messages: The messages of the request, in the provider's format.
        call_params: The call parameters as they were passed.
        call_kwargs: The keyword arguments of the call to the SDK.
        user_message_param: The last message in the provider's format, if its role is `user`.
        start_time: The time at which the request was sent, in milliseconds since the epoch.
        end_time: The time at which the response was complete, in milliseconds since the epoch.
    """

    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)

    if not TYPE_CHECKING:

        def __class_getitem__(cls, parameters: object) -> type[BaseCallResponse]:
            # No field is validated by its type, so pydantic does not need a class for each set of parameters.
            return cls

    if TYPE_CHECKING:
        metadata: Metadata
        response: _ResponseT
        tool_types: list[type[_BaseToolT]] | None = None
        prompt_template: str | None
        fn_args: dict[str, Any]  # Any: the user's own arguments
        dynamic_config: _BaseDynamicConfigT
        messages: list[_MessageParamT]
        call_params: _CallParamsT
        call_kwargs: BaseCallKwargs[_ToolSchemaT]
        user_message_param: _UserMessageParamT | None = None
        start_time: float
        end_time: float
    else:
        # The engine creates these values, so validation would only take time.
        metadata: SkipValidation[Any]
        response: SkipValidation[Any]
        tool_types: SkipValidation[Any] = None
        prompt_template: SkipValidation[Any]
        fn_args: SkipValidation[Any]
        dynamic_config: SkipValidation[Any]
        messages: SkipValidation[Any]
        call_params: SkipValidation[Any]
        call_kwargs: SkipValidation[Any]
        user_message_param: SkipValidation[Any] = None
        start_time: SkipValidation[float]
        end_time: SkipValidation[float]

    _record: ClassVar[Identity] = NO_PROVIDER
    _provider: ClassVar[str]
    _message_converter: ClassVar[Any]  # Any: a class with `from_provider`, as in v1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:  # Any: pydantic's class keywords
        super().__pydantic_init_subclass__(**kwargs)
        claim(cls)

    def __str__(self) -> str:
        return self.content

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:  # Any: values of every kind
        yield "model", readable(lambda: self.model)
        yield "content", readable(lambda: self.content)
        if self.tool_types and (tools := readable(lambda: self.tools)):
            yield "tools", tools
        yield "finish_reasons", readable(lambda: self.finish_reasons)
        yield "input_tokens", readable(lambda: self.input_tokens)
        yield "output_tokens", readable(lambda: self.output_tokens)
        yield "cost", readable(lambda: self.cost)

    def _repr_html_(self) -> str:
        """Return the answer with its model, tokens and cost, for notebooks."""
        facts = {name or "": value for name, value in self.__repr_args__() if name != "content"}
        return html_block(str(readable(lambda: Shown(self.content))), {"provider": self.provider, **facts})

    def __getstate__(self) -> dict[Any, Any]:
        from ._responses.state import picklable_values

        state = super().__getstate__()
        return {**state, "__dict__": picklable_values(state["__dict__"])}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        from ._responses.state import restored_values

        super().__setstate__({**state, "__dict__": restored_values(state["__dict__"])})

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        config: Any = self.dynamic_config
        if isinstance(config, dict) and config.get("client") is not None:
            # A copy shares the client, because a client is a connection.
            memo[id(config["client"])] = config["client"]
        return super().__deepcopy__(memo)

    @field_serializer("tool_types", when_used="json")
    def serialize_tool_types(
        self, tool_types: list[type[_BaseToolT]] | None, info: FieldSerializationInfo
    ) -> list[dict[str, str]]:
        """Return the tools by name, because a class has no JSON form."""
        return [{"type": "function", "name": tool._name()} for tool in tool_types or []]

    @field_serializer(
        "response",
        "fn_args",
        "dynamic_config",
        "messages",
        "call_params",
        "call_kwargs",
        "user_message_param",
        mode="wrap",
    )
    def _dump_value(self, value: Any, handler: SerializerFunctionWrapHandler, info: FieldSerializationInfo) -> Any:
        """Serialize a value of any type: an SDK object, or a value from the program."""
        from ._responses.state import json_value, serialized_value

        return json_value(info.field_name, value, handler) if info.mode_is_json() else serialized_value(value, handler)

    @property
    def _origin(self) -> Endpoint:
        """The provider and the requested model, as the origin of provider-specific content in the response."""
        kwargs: Any = self.call_kwargs  # Any: a mapping with the provider's own keys
        asked = kwargs.get("model") if isinstance(kwargs, Mapping) else None
        return Endpoint(self._record.name, str(asked or self.model or ""))

    @property
    def provider(self) -> Provider:
        """The name of the provider."""
        return cast("Provider", self._record.name)

    @computed_field  # type: ignore[prop-decorator]  # mypy: not yet for properties
    @property
    @abstractmethod
    def content(self) -> str:
        """The text of the response; empty if it has no text."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    @abstractmethod
    def finish_reasons(self) -> list[str] | None:
        """The finish reason of each choice, as the provider reports it."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    @abstractmethod
    def model(self) -> str | None:
        """The name of the model that responded."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    @abstractmethod
    def id(self) -> str | None:
        """The provider's id of the response."""

    @property
    @abstractmethod
    def usage(self) -> object:
        """The token counts as the provider reports them."""

    @cached_property
    def _token_counts(  # pyright: ignore[reportIncompatibleMethodOverride]  # a cached property
        self,
    ) -> Mapping[str, int | None]:
        return token_counts(self._usage_json)

    @cached_property
    def _server_host(self) -> str:
        """The host of the request, which may be another vendor's; empty if it is unknown."""
        return ""

    @cached_property
    def _usage_contradiction(self) -> str | None:
        """A description of contradictory counts in the events of a stream; None if there is no contradiction."""
        return None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The requests of the call, including the last one; empty without the option `retry`."""
        return self._attempts

    @cached_property
    def _attempts(self) -> tuple[Attempt, ...]:
        return ()

    def _set_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        self._attempts = attempts

    @property
    def cached(self) -> bool:
        """Whether the response comes from the cache of the call, so that no request was sent."""
        return self._is_cached

    @cached_property
    def _is_cached(self) -> bool:
        return False

    def _set_cached(self, cost: Cost) -> None:
        """Mark the response as one from a cache, which costs nothing."""
        self._is_cached = True
        vars(self)["cost_details"] = cost

    def _set_server_host(self, host: str) -> None:
        vars(self)["_server_host"] = host  # pydantic's way takes longer

    @cached_property
    def _is_batch(self) -> bool:
        """Whether the response is from a job of the provider's batch API, which has prices of its own."""
        return False

    def _set_batch(self) -> None:
        self._is_batch = True

    def _set_decoded_usage(self, usage: bytes | None, contradiction: str | None) -> None:
        """Set the usage that the decoder of a stream read; an SDK object may have converted text to a number."""
        self._usage_json = usage
        self._usage_contradiction = contradiction

    @cached_property
    def _decoded_calls(self) -> tuple[list[str], bool] | None:
        """The arguments of the tool calls of a stream, and whether the last call is complete."""
        return None

    def _set_decoded_calls(self, arguments: list[str], complete: bool) -> None:
        """Set the arguments that the decoder read; some SDKs parse them to objects, which fails for incomplete ones."""
        self._decoded_calls = arguments, complete

    def _call_texts(self, given: list[str]) -> list[str]:
        """Return the arguments of the tool calls as the stream's decoder read them, else the given ones."""
        decoded = self._decoded_calls[0] if self._decoded_calls is not None else []
        return decoded if len(decoded) == len(given) else given

    @property
    def _failure_reason(self) -> str | None:
        """The provider's finish reason of a failed response, whose tool calls must not be run; None otherwise."""
        return None

    @property
    def _cut_off_reason(self) -> str | None:
        """The reason that the response is incomplete; None if it is complete."""
        if self._decoded_calls is not None and not self._decoded_calls[1]:
            return "the stream was interrupted"
        reasons = self.common_finish_reasons
        return reasons[0] if reasons and reasons[0] in CUT_OFF else None

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def cost(self) -> float | None:
        """The cost of the call in USD; None if it is unknown. `cost_details` has the items and the reason."""
        if isinstance(self._record, UserProvider) and (reported := self.cost_metadata.cost) is not None:
            return reported
        return self._total_cost.usd

    @cached_property
    def _total_cost(self) -> Cost | Total:
        """The cost, without its items if it is known without them."""
        found: Total | None = None
        # Before Python 3.12, a cached property takes a lock on first access, which costs more than the price.
        values = self.__dict__
        if "cost_details" not in values and values.get("_usage_contradiction") is None:
            record, at = self._record, self.start_time / 1000 if self.start_time else None
            host, context = values.get("_server_host", ""), self._price_conditions()
            # `from ...prices import` at each call costs more than the price, too.
            quick_total: Callable[..., Total | None] = load_name("ferroscope.prices:quick_total")
            found = quick_total(
                record.name, record.price_provider, host, self.model or "", self._usage_json, at, context
            )
        return self.cost_details if found is None else found

    @cached_property
    def cost_details(self) -> Cost:
        """The exact, itemised cost in USD: total, items, status, assumptions and the source of the prices."""
        from ...prices import billed_by, cost_of

        model = self.model or ""
        provider, assumed = billed_by(self._record.name, self._record.price_provider, self._server_host, model)
        return cost_of(
            provider=provider,
            model=model,
            usage_json=self._usage_json,
            at=self.start_time / 1000 if self.start_time else None,
            context=self._price_conditions(),
            contradiction=self._usage_contradiction,
            assumed=assumed,
        )

    @cached_property
    def _usage_json(self) -> bytes | None:
        """The provider's usage object as JSON."""
        record = self._record
        if isinstance(record, UserProvider) and record.has_counts:
            return counts_json(self)
        usage_json: Callable[[object], bytes | None] = load_name("ferroscope.prices:usage_json")
        return usage_json(self.usage)

    def _price_conditions(self) -> Context:
        context = self._price_context()
        return {**context, "batch": True} if self.__dict__.get("_is_batch") else context

    def _price_context(self) -> Context:
        """Return other conditions that the price depends on."""
        return {}

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    @abstractmethod
    def message_param(self) -> SerializeAsAny[Any]:  # Any: each provider's own form
        """The response as a message in the provider's format, to continue the conversation."""

    @cached_property
    @abstractmethod
    def tools(self) -> list[_BaseToolT] | None:
        """The tools that the model called, with validated arguments; None if there are none.

        Raises:
            ferroscope.errors.ToolError: A tool call cannot be converted to its tool.
            pydantic.ValidationError: The arguments do not match the tool's fields.
        """

    @cached_property
    def tool(self) -> _BaseToolT | None:
        """The first tool that the model called; None if there is none.

        Raises:
            ferroscope.errors.ToolError: A tool call cannot be converted to its tool.
            pydantic.ValidationError: The arguments do not match the tool's fields.
        """
        return self.tools[0] if self.tools else None

    @classmethod
    @abstractmethod
    def tool_message_params(cls, tools_and_outputs: Sequence[tuple[_BaseToolT, object]]) -> list[Any]:
        """Return the messages that report the outputs of tools to the model, in the provider's format."""

    @property
    @abstractmethod
    def common_finish_reasons(self) -> list[FinishReason] | None:
        """The finish reason of each choice, in the common vocabulary; None if there is none."""

    @property
    @abstractmethod
    def common_message_param(self) -> BaseMessageParam:
        """The response as a common message, for any provider."""

    @property
    @abstractmethod
    def common_user_message_param(self) -> BaseMessageParam | None:
        """The user's last message as a common message; None if the last message is not the user's."""

    @property
    def common_messages(self) -> list[BaseMessageParam]:
        """The messages of the request as common messages, for any provider."""
        converter = getattr(self, "_message_converter", None)
        if converter is None:
            raise NotImplementedError(
                f"`{type(self).__name__}.common_messages`: define the property, or the class attribute "
                "`_message_converter` with a static method `from_provider(messages)`"
            )
        messages: list[BaseMessageParam] = converter.from_provider(self.messages)
        return messages

    @property
    def common_tools(self) -> list[_BaseToolT] | None:
        """The same as `tools`, because the tools of all providers share one interface.

        Raises:
            ferroscope.errors.ToolError: A tool call cannot be converted to its tool.
            pydantic.ValidationError: The arguments do not match the tool's fields.
        """
        return self.tools


# The parameters are only for type checkers: subclasses may have other ones.
BaseCallResponse.__pydantic_generic_metadata__["parameters"] = ()

AnyCallResponse: TypeAlias = BaseCallResponse[Any, Any, Any, Any, Any, Any, Any]
"""A response of any provider."""
