"""The common classes, and one package per provider. A provider's SDK is imported with its package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from . import base as base
    from .base import (
        AudioPart,
        AudioURLPart,
        BaseCallResponse,
        BaseDynamicConfig,
        BaseMessageParam,
        BasePrompt,
        BaseStream,
        BaseTool,
        BaseToolKit,
        CacheControlPart,
        CostMetadata,
        DocumentPart,
        DocumentURLPart,
        FromCallArgs,
        ImagePart,
        ImageURLPart,
        LocalProvider,
        Messages,
        Provider,
        ResponseModelConfigDict,
        TextPart,
        ToolCallPart,
        ToolResultPart,
        prompt_template,
        toolkit_tool,
    )

    # Imported from the defining modules: in an import cycle, mypy confuses these names with modules of `base`.
    from .base.merge_decorators import merge_decorators
    from .base.prompt import metadata
    from .costs.calculate_cost import calculate_cost

__all__ = [
    "AudioPart",
    "AudioURLPart",
    "BaseCallResponse",
    "BaseDynamicConfig",
    "BaseMessageParam",
    "BasePrompt",
    "BaseStream",
    "BaseTool",
    "BaseToolKit",
    "CacheControlPart",
    "CostMetadata",
    "DocumentPart",
    "DocumentURLPart",
    "FromCallArgs",
    "ImagePart",
    "ImageURLPart",
    "LocalProvider",
    "Messages",
    "Provider",
    "ResponseModelConfigDict",
    "TextPart",
    "ToolCallPart",
    "ToolResultPart",
    "base",
    "calculate_cost",
    "costs",
    "merge_decorators",
    "metadata",
    "prompt_template",
    "toolkit_tool",
]

_PACKAGES = (
    "anthropic",
    "azure",
    "base",
    "bedrock",
    "cohere",
    "costs",
    "gemini",
    "google",
    "groq",
    "litellm",
    "mistral",
    "openai",
    "vertex",
    "xai",
)

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(__all__, ".base"),
        "calculate_cost": ".costs",
        **dict.fromkeys(_PACKAGES),
    },
)
