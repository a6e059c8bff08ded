"""The parameters of a call to Vertex AI, as v1 had them.

https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NotRequired

from ..google.call_params import ContentCallParams

if TYPE_CHECKING:
    from google.genai.types import GenerationConfigOrDict, SafetySettingOrDict, ToolConfigOrDict


class VertexCallParams(ContentCallParams):
    """The parameters of a call to Vertex AI; parameters that are None are not sent."""

    generation_config: NotRequired[GenerationConfigOrDict]
    safety_settings: NotRequired[Mapping[str, str] | Iterable[SafetySettingOrDict]]
    tool_config: NotRequired[ToolConfigOrDict]
