"""The dynamic configuration that a prompt function of a call to Vertex AI may return."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.dynamic_config import BaseDynamicConfig
from .call_params import VertexCallParams

if TYPE_CHECKING:
    from google.genai import Client

    from ..google._message_param import GoogleMessageParam

VertexDynamicConfig: TypeAlias = BaseDynamicConfig["GoogleMessageParam", VertexCallParams, "Client"]
"""The dynamic configuration of a sync or async call; one client class serves both."""
