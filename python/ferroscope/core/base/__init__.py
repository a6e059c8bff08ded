"""The classes and functions that all providers share: messages, prompts, tools, responses, streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._lazy import lazy_names

# Not lazy: `metadata` and `merge_decorators` are also names of submodules. Importing a submodule later would replace
# the function with the module.
from .call_kwargs import BaseCallKwargs
from .call_params import BaseCallParams, CommonCallParams
from .dynamic_config import BaseDynamicConfig
from .from_call_args import FromCallArgs
from .merge_decorators import merge_decorators
from .message_param import (
    AudioPart,
    AudioURLPart,
    BaseMessageParam,
    CacheControlPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from .messages import Messages
from .metadata import Metadata
from .prompt import BasePrompt, metadata, prompt_template
from .response_model_config_dict import ResponseModelConfigDict

if TYPE_CHECKING:
    from ..._factory import call_factory
    from . import _partial, _utils
    from ._tools.output import transform_tool_outputs
    from .call_response import BaseCallResponse
    from .call_response_chunk import BaseCallResponseChunk
    from .stream import BaseStream
    from .structured_stream import BaseStructuredStream
    from .tool import BaseTool, GenerateJsonSchemaNoTitles, ToolConfig
    from .toolkit import BaseToolKit, toolkit_tool
    from .types import AudioSegment, BaseType, CostMetadata, JsonableType, LocalProvider, Provider, Usage

__all__ = [
    "AudioPart",
    "AudioSegment",
    "AudioURLPart",
    "BaseCallKwargs",
    "BaseCallParams",
    "BaseCallResponse",
    "BaseCallResponseChunk",
    "BaseDynamicConfig",
    "BaseMessageParam",
    "BasePrompt",
    "BaseStream",
    "BaseStructuredStream",
    "BaseTool",
    "BaseToolKit",
    "BaseType",
    "CacheControlPart",
    "CommonCallParams",
    "CostMetadata",
    "DocumentPart",
    "DocumentURLPart",
    "FromCallArgs",
    "GenerateJsonSchemaNoTitles",
    "ImagePart",
    "ImageURLPart",
    "JsonableType",
    "LocalProvider",
    "Messages",
    "Metadata",
    "Provider",
    "ResponseModelConfigDict",
    "TextPart",
    "ToolCallPart",
    "ToolConfig",
    "ToolResultPart",
    "Usage",
    "_partial",
    "_utils",
    "call_factory",
    "merge_decorators",
    "metadata",
    "prompt_template",
    "toolkit_tool",
    "transform_tool_outputs",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AudioSegment": ".types",
        "BaseCallResponse": ".call_response",
        "BaseCallResponseChunk": ".call_response_chunk",
        "BaseStream": ".stream",
        "BaseStructuredStream": ".structured_stream",
        "BaseTool": ".tool",
        "BaseToolKit": ".toolkit",
        "BaseType": ".types",
        "CostMetadata": ".types",
        "GenerateJsonSchemaNoTitles": ".tool",
        "JsonableType": ".types",
        "LocalProvider": ".types",
        "Provider": ".types",
        "ToolConfig": ".tool",
        "Usage": ".types",
        "_partial": None,
        "_utils": None,
        "call_factory": "ferroscope._factory",
        "call_response": None,
        "call_response_chunk": None,
        "stream": None,
        "structured_stream": None,
        "tool": None,
        "toolkit": None,
        "toolkit_tool": ".toolkit",
        "transform_tool_outputs": "._tools.output",
        "types": None,
    },
)
