"""The keyword arguments that a call hands to the SDK."""

from __future__ import annotations

from typing import Generic, NotRequired, TypeVar

from .call_params import BaseCallParams

_ToolSchemaT = TypeVar("_ToolSchemaT")


class BaseCallKwargs(BaseCallParams, Generic[_ToolSchemaT]):
    """The call parameters and the tools in the provider's own form."""

    tools: NotRequired[list[_ToolSchemaT]]
