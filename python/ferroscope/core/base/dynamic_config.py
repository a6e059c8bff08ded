"""The dynamic configuration that a prompt function may return instead of a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NotRequired

from typing_extensions import TypedDict, TypeVar

from .call_params import BaseCallParams
from .metadata import Metadata

if TYPE_CHECKING:
    from .tool import BaseTool

# With the defaults, `BaseDynamicConfig` can be used without type parameters.
# A provider's message may be a dict, an SDK model or a `BaseMessageParam`.
_MessageParamT = TypeVar("_MessageParamT", bound=Any, default=Any)
_CallParamsT = TypeVar("_CallParamsT", bound=BaseCallParams, default=Any)
_ClientT = TypeVar("_ClientT", bound=object, default=Any)


class DynamicConfigBase(TypedDict):
    """The keys that have the same meaning for every provider."""

    metadata: NotRequired[Metadata]
    computed_fields: NotRequired[dict[str, Any | list[Any] | list[list[Any]]]]
    tools: NotRequired[Sequence[type[BaseTool] | Callable[..., Any]]]


class DynamicConfigMessages(DynamicConfigBase, Generic[_MessageParamT]):
    """A dynamic config with messages."""

    messages: NotRequired[Sequence[_MessageParamT]]


class DynamicConfigCallParams(DynamicConfigBase, Generic[_CallParamsT]):
    """A dynamic config with call parameters."""

    call_params: NotRequired[_CallParamsT]


class DynamicConfigClient(DynamicConfigBase, Generic[_ClientT]):
    """A dynamic config with a client."""

    client: NotRequired[_ClientT | None]


class DynamicConfigMessagesCallParams(DynamicConfigBase, Generic[_MessageParamT, _CallParamsT]):
    """A dynamic config with messages and call parameters."""

    messages: NotRequired[Sequence[_MessageParamT]]
    call_params: NotRequired[_CallParamsT]


class DynamicConfigMessagesClient(DynamicConfigBase, Generic[_MessageParamT, _ClientT]):
    """A dynamic config with messages and a client."""

    messages: NotRequired[Sequence[_MessageParamT]]
    client: NotRequired[_ClientT | None]


class DynamicConfigCallParamsClient(DynamicConfigBase, Generic[_CallParamsT, _ClientT]):
    """A dynamic config with call parameters and a client."""

    call_params: NotRequired[_CallParamsT]
    client: NotRequired[_ClientT | None]


class DynamicConfigFull(DynamicConfigBase, Generic[_MessageParamT, _CallParamsT, _ClientT]):
    """A dynamic config with messages, call parameters and a client."""

    messages: NotRequired[Sequence[_MessageParamT]]
    call_params: NotRequired[_CallParamsT]
    client: NotRequired[_ClientT | None]


BaseDynamicConfig = (
    DynamicConfigBase
    | DynamicConfigMessages[_MessageParamT]
    | DynamicConfigCallParams[_CallParamsT]
    | DynamicConfigClient[_ClientT]
    | DynamicConfigMessagesCallParams[_MessageParamT, _CallParamsT]
    | DynamicConfigMessagesClient[_MessageParamT, _ClientT]
    | DynamicConfigCallParamsClient[_CallParamsT, _ClientT]
    | DynamicConfigFull[_MessageParamT, _CallParamsT, _ClientT]
    | None
)
"""The configuration of a single call, which its prompt function may return; every key is optional.

- `metadata` replaces the value that `@metadata` set
- `computed_fields` adds variables for the string template
- `tools` replaces the decorator's tools
- `messages` replaces the prompt
- `call_params` are merged into those of the decorator and take precedence
- `client` is used for this call only
"""
