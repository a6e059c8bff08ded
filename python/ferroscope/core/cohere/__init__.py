"""Calls to Cohere's Chat API, version 2.

Needs the extra `ferroscope[cohere]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._engine.decorator import call_decorator
from ..._engine.extras import require_sdk
from ..._engine.typing import CallDecorator
from ..._lazy import lazy_names
from ..base.call_params import CommonCallParams
from ._provider import COHERE
from .call_params import CohereCallParams
from .call_response import CohereCallResponse
from .call_response_chunk import CohereCallResponseChunk
from .dynamic_config import AsyncCohereDynamicConfig, CohereDynamicConfig
from .stream import CohereStream
from .tool import CohereTool

if TYPE_CHECKING:
    from cohere import AsyncClient, AsyncClientV2, Client, ClientV2

    from ._message_param import CohereMessageParam

require_sdk("cohere", extra="cohere")

cohere_call: CallDecorator[
    CohereCallResponse,
    CohereStream,
    CohereCallParams | CommonCallParams,
    Client | AsyncClient | ClientV2 | AsyncClientV2,
] = call_decorator(COHERE)
call = cohere_call

__all__ = [
    "AsyncCohereDynamicConfig",
    "CohereCallParams",
    "CohereCallResponse",
    "CohereCallResponseChunk",
    "CohereDynamicConfig",
    "CohereMessageParam",
    "CohereStream",
    "CohereTool",
    "call",
    "cohere_call",
]

__getattr__, __dir__ = lazy_names(__name__, {"CohereMessageParam": "._message_param"})
