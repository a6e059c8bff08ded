"""The parameters of a call to the Gemini API, as v1 had them.

https://ai.google.dev/api/generate-content#v1beta.GenerationConfig
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from ..google.call_params import ContentCallParams

if TYPE_CHECKING:
    from google.genai.types import SafetySettingOrDict, ToolConfigOrDict


class GenerationConfigDict(TypedDict, total=False):
    """The generation configuration as a dict."""

    candidate_count: int
    max_output_tokens: int
    response_mime_type: str
    response_schema: Mapping[str, Any]  # Any: a schema
    stop_sequences: Iterable[str]
    temperature: float
    top_k: int
    top_p: float


class GenerationConfig(dict[str, Any]):  # Any: the values of the configuration
    """The generation configuration as a dict, created from keyword arguments."""


class RequestOptions(dict[str, Any]):  # Any: the values of the options
    """Options of the HTTP request. The SDK supports only `timeout`, in seconds."""


class GeminiCallParams(ContentCallParams):
    """The parameters of a call to the Gemini API; parameters that are None are not sent."""

    generation_config: NotRequired[GenerationConfigDict | GenerationConfig]
    request_options: NotRequired[RequestOptions]
    safety_settings: NotRequired[Mapping[str, str] | Iterable[SafetySettingOrDict]]
    tool_config: NotRequired[ToolConfigOrDict]
