"""The keyword arguments of a call to the SDK."""

from __future__ import annotations

from typing import Generic, NotRequired, TypeVar

from .call_params import BaseCallParams

_ToolSchemaT = TypeVar("_ToolSchemaT")


class BaseCallKwargs(BaseCallParams, Generic[_ToolSchemaT]):
    """The call parameters and the tools in the provider's format."""

    tools: NotRequired[list[_ToolSchemaT]]
