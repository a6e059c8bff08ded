"""Calls to Vertex AI under the names of v1's `vertex`; deprecated in favour of `ferroscope.core.google`.

Needs the extra `ferroscope[vertex]`. Google has abandoned the SDK that v1 used (the generative module of
google-cloud-aiplatform); calls use google-genai.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..._lazy import lazy_names
from ..base._prompts.callers import callers_level
from ..base.call_params import CommonCallParams
from ._provider import VERTEX
from .call_params import VertexCallParams
from .call_response import VertexCallResponse
from .call_response_chunk import VertexCallResponseChunk
from .dynamic_config import VertexDynamicConfig
from .stream import VertexStream
from .tool import VertexTool

if TYPE_CHECKING:
    from google.genai import Client

    from ..google._message_param import GoogleMessageParam as VertexMessageParam

require_sdk("google.genai", extra="vertex")
warnings.warn(
    "`ferroscope.core.vertex` is deprecated, because Google has abandoned the SDK that v1 used for it. Use "
    "`ferroscope.core.google` instead, with `google.genai.Client(vertexai=True, ...)`.",
    DeprecationWarning,
    stacklevel=callers_level(),
)

vertex_call: CallDecorator[VertexCallResponse, VertexStream, VertexCallParams | CommonCallParams, Client] = (
    call_decorator(VERTEX)
)
call = vertex_call

__all__ = [
    "VertexCallParams",
    "VertexCallResponse",
    "VertexCallResponseChunk",
    "VertexDynamicConfig",
    "VertexMessageParam",
    "VertexStream",
    "VertexTool",
    "call",
    "vertex_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"VertexMessageParam": "._message_param"})
