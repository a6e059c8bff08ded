"""Language-model calls as decorated Python functions, with a Rust core.

```python
from ferroscope import llm


@llm.call("openai", "gpt-4o-mini")
def recommend(genre: str) -> str:
    return f"Recommend a {genre} book"


print(recommend("fantasy").content)
```

Importing this package does not import any SDK, nor pydantic: each name is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._lazy import lazy_names

if TYPE_CHECKING:
    from . import core as core
    from . import errors as errors
    from . import integrations as integrations
    from . import llm as llm
    from . import retries as retries
    from ._telemetry import instrument, uninstrument
    from .core._registry import register_provider, unregister_provider
    from .core._saved_messages import dump_messages, load_messages
    from .core.base import (
        AudioPart,
        AudioURLPart,
        BaseDynamicConfig,
        BaseMessageParam,
        BaseTool,
        BaseToolKit,
        CacheControlPart,
        DocumentPart,
        DocumentURLPart,
        ImagePart,
        ImageURLPart,
        LocalProvider,
        Messages,
        Provider,
        TextPart,
        ToolCallPart,
        ToolResultPart,
        prompt_template,
    )
    from .core.base.quirks import Quirks
    from .errors import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        BudgetExceededError,
        ClientError,
        ConflictError,
        FerroscopeError,
        HedgeLostError,
        InternalServerError,
        LimitExceededError,
        MissingApiKeyError,
        MissingExtraError,
        NotFoundError,
        PermissionDeniedError,
        ProviderStreamError,
        RateLimitError,
        ResponseModelError,
        StreamError,
        StreamInterruptedError,
        TemplateError,
        TemplateVariableError,
        ToolArgumentsError,
        ToolError,
        UnknownPriceError,
        UnknownToolError,
        UnprocessableEntityError,
    )

    __version__: str

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AudioPart",
    "AudioURLPart",
    "AuthenticationError",
    "BadRequestError",
    "BaseDynamicConfig",
    "BaseMessageParam",
    "BaseTool",
    "BaseToolKit",
    "BudgetExceededError",
    "CacheControlPart",
    "ClientError",
    "ConflictError",
    "DocumentPart",
    "DocumentURLPart",
    "FerroscopeError",
    "HedgeLostError",
    "ImagePart",
    "ImageURLPart",
    "InternalServerError",
    "LimitExceededError",
    "LocalProvider",
    "Messages",
    "MissingApiKeyError",
    "MissingExtraError",
    "NotFoundError",
    "PermissionDeniedError",
    "Provider",
    "ProviderStreamError",
    "Quirks",
    "RateLimitError",
    "ResponseModelError",
    "StreamError",
    "StreamInterruptedError",
    "TemplateError",
    "TemplateVariableError",
    "TextPart",
    "ToolArgumentsError",
    "ToolCallPart",
    "ToolError",
    "ToolResultPart",
    "UnknownPriceError",
    "UnknownToolError",
    "UnprocessableEntityError",
    "__version__",
    "core",
    "dump_messages",
    "errors",
    "instrument",
    "integrations",
    "llm",
    "load_messages",
    "prompt_template",
    "register_provider",
    "retries",
    "uninstrument",
    "unregister_provider",
]

_PACKAGES = ("core", "errors", "integrations", "llm", "retries")
_BASE = (
    "AudioPart",
    "AudioURLPart",
    "BaseDynamicConfig",
    "BaseMessageParam",
    "BaseTool",
    "BaseToolKit",
    "CacheControlPart",
    "DocumentPart",
    "DocumentURLPart",
    "ImagePart",
    "ImageURLPart",
    "LocalProvider",
    "Messages",
    "Provider",
    "TextPart",
    "ToolCallPart",
    "ToolResultPart",
    "prompt_template",
)

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(__all__, ".errors"),
        **dict.fromkeys(_BASE, ".core.base"),
        "Quirks": ".core.base.quirks",
        "__version__": "._version",
        "dump_messages": ".core._saved_messages",
        "instrument": "._telemetry",
        "uninstrument": "._telemetry",
        "load_messages": ".core._saved_messages",
        "register_provider": ".core._registry",
        "unregister_provider": ".core._registry",
        **dict.fromkeys(_PACKAGES),
    },
)
