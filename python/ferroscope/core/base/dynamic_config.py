"""What a prompt function may return instead of a prompt: the parts of the call that only it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NotRequired

from typing_extensions import TypedDict, TypeVar

from .call_params import BaseCallParams
from .metadata import Metadata

if TYPE_CHECKING:
    from .tool import BaseTool

# The defaults let `BaseDynamicConfig` stand without brackets.
# A provider's message may be a dict, an SDK model or a `BaseMessageParam`.
_MessageParamT = TypeVar("_MessageParamT", bound=Any, default=Any)
_CallParamsT = TypeVar("_CallParamsT", bound=BaseCallParams, default=Any)
_ClientT = TypeVar("_ClientT", bound=object, default=Any)


class DynamicConfigBase(TypedDict):
    """The keys that mean the same for every provider."""

    metadata: NotRequired[Metadata]
    computed_fields: NotRequired[dict[str, Any | list[Any] | list[list[Any]]]]
    tools: NotRequired[Sequence[type[BaseTool] | Callable[..., Any]]]


class DynamicConfigMessages(DynamicConfigBase, Generic[_MessageParamT]):
    """With messages."""

    messages: NotRequired[Sequence[_MessageParamT]]


class DynamicConfigCallParams(DynamicConfigBase, Generic[_CallParamsT]):
    """With call parameters."""

    call_params: NotRequired[_CallParamsT]


class DynamicConfigClient(DynamicConfigBase, Generic[_ClientT]):
    """With a client."""

    client: NotRequired[_ClientT | None]


class DynamicConfigMessagesCallParams(DynamicConfigBase, Generic[_MessageParamT, _CallParamsT]):
    """With messages and call parameters."""

    messages: NotRequired[Sequence[_MessageParamT]]
    call_params: NotRequired[_CallParamsT]


class DynamicConfigMessagesClient(DynamicConfigBase, Generic[_MessageParamT, _ClientT]):
    """With messages and a client."""

    messages: NotRequired[Sequence[_MessageParamT]]
    client: NotRequired[_ClientT | None]


class DynamicConfigCallParamsClient(DynamicConfigBase, Generic[_CallParamsT, _ClientT]):
    """With call parameters and a client."""

    call_params: NotRequired[_CallParamsT]
    client: NotRequired[_ClientT | None]


class DynamicConfigFull(DynamicConfigBase, Generic[_MessageParamT, _CallParamsT, _ClientT]):
    """With messages, call parameters and a client."""

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
"""What a prompt function may return to set up this one call; every key is optional.

- `metadata` replaces what `@metadata` set
- `computed_fields` are further variables of the string template
- `tools` replace the decorator's
- `messages` replace every other way of writing the prompt
- `call_params` are merged over the decorator's
- `client` sends this call, and no other
"""
