"""The parameters of a call to Amazon Bedrock.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from ..base.call_params import BaseCallParams


class BedrockCallParams(BaseCallParams, total=False):
    """The parameters of a call to Amazon Bedrock; parameters that are None are not sent.

    Parameters that a newer SDK adds are accepted too; all parameters are passed to the client's method unchanged.
    `system` is sent before the system messages of the prompt, and the tools in `toolConfig` before those of the call.
    """

    # Any: the API's JSON.
    additionalModelRequestFields: NotRequired[Mapping[str, Any] | None]
    additionalModelResponseFieldPaths: NotRequired[list[str] | None]
    guardrailConfig: NotRequired[Mapping[str, Any] | None]
    inferenceConfig: NotRequired[Mapping[str, Any] | None]
    outputConfig: NotRequired[Mapping[str, Any] | None]
    performanceConfig: NotRequired[Mapping[str, Any] | None]
    promptVariables: NotRequired[Mapping[str, Any] | None]
    requestMetadata: NotRequired[Mapping[str, str] | None]
    serviceTier: NotRequired[Mapping[str, str] | None]
    system: NotRequired[list[dict[str, Any]] | None]
    toolConfig: NotRequired[Mapping[str, Any] | None]
