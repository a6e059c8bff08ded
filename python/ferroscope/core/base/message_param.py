"""A message and its parts, the same for every provider.

```python
from ferroscope import BaseMessageParam, ImageURLPart, TextPart

message = BaseMessageParam(
    role="user",
    content=[
        TextPart(type="text", text="What is this?"),
        ImageURLPart(type="image_url", url="https://example.com/cover.png", detail=None),
    ],
)
```
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo
from typing_extensions import TypeIs

from ..._repr import ShortRepr, html_block


def _to_base64(data: bytes | str) -> str:
    return data if isinstance(data, str) else base64.b64encode(data).decode()


def _from_base64(value: Any, info: ValidationInfo) -> Any:
    return base64.b64decode(value, validate=True) if info.mode == "json" and isinstance(value, str) else value


# JSON has no bytes; without this, a history with an image could not be saved.
_Base64InJson = PlainSerializer(_to_base64, return_type=str, when_used="json")
_Base64Bytes: TypeAlias = Annotated[bytes, BeforeValidator(_from_base64), _Base64InJson]


class TextPart(ShortRepr, BaseModel):
    """A text."""

    type: Literal["text"]
    text: str


class CacheControlPart(BaseModel):
    """A mark at the end of a prefix that the provider may cache (Anthropic)."""

    type: Literal["cache_control"]
    cache_type: str


class ImagePart(ShortRepr, BaseModel):
    """An image as bytes; `detail` is OpenAI's hint for the resolution to use."""

    type: Literal["image"]
    media_type: str
    image: _Base64Bytes
    detail: str | None


class ImageURLPart(ShortRepr, BaseModel):
    """An image as a URL: a web or storage URL, or a `data:` URL."""

    type: Literal["image_url"]
    url: str
    detail: str | None


class AudioPart(ShortRepr, BaseModel):
    """Audio as bytes, or as their base64 text."""

    type: Literal["audio"]
    media_type: str
    audio: Annotated[str | bytes, _Base64InJson]


class AudioURLPart(ShortRepr, BaseModel):
    """Audio as a URL."""

    type: Literal["audio_url"]
    url: str


class DocumentPart(ShortRepr, BaseModel):
    """A document as bytes, usually a PDF."""

    type: Literal["document"]
    media_type: str
    document: _Base64Bytes


class DocumentURLPart(ShortRepr, BaseModel):
    """A document as a URL."""

    type: Literal["document_url"]
    url: str


class ToolCallPart(ShortRepr, BaseModel):
    """A tool call of the model.

    If the arguments are not a JSON object, `args` is None and the extra field `arguments` contains their text.
    """

    model_config = ConfigDict(extra="allow")

    type: Literal["tool_call"]
    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class ToolResultPart(ShortRepr, BaseModel):
    """The output of a tool; `id` is the id of its call."""

    type: Literal["tool_result"]
    name: str = ""
    content: str
    id: str | None = None
    is_error: bool = False


ContentPart: TypeAlias = (
    TextPart
    | ImagePart
    | ImageURLPart
    | AudioPart
    | AudioURLPart
    | CacheControlPart
    | DocumentPart
    | DocumentURLPart
    | ToolCallPart
    | ToolResultPart
)
"""Any part of a message."""

_PARTS = (
    TextPart,
    ImagePart,
    ImageURLPart,
    AudioPart,
    AudioURLPart,
    CacheControlPart,
    DocumentPart,
    DocumentURLPart,
    ToolCallPart,
    ToolResultPart,
)
_PART_TYPES = frozenset(_PARTS)


def is_content_part(value: object) -> TypeIs[ContentPart]:
    """Return whether a value is a part."""
    return type(value) in _PART_TYPES or isinstance(value, _PARTS)


class BaseMessageParam(ShortRepr, BaseModel):
    """A message with a role (`system`, `user`, `assistant` or `tool`) and content.

    A message from a provider may have content that no part can represent: thinking and its signatures, server tools,
    refusals, the id of an audio response. It is stored in one extra field, `provider_data` (see
    `ferroscope.core.base._messages.provider_data`), which JSON preserves. It is sent back unmodified to the provider
    and model that it came from; other providers receive only the parts.
    """

    model_config = ConfigDict(extra="allow")

    role: str
    content: str | Sequence[Annotated[ContentPart, Field(discriminator="type")]]

    def _repr_html_(self) -> str:
        """Return the role and the content, for notebooks. Media are shown by their type."""
        parts = [self.content] if isinstance(self.content, str) else list(self.content)
        texts = [part if isinstance(part, str) else getattr(part, "text", None) or repr(part) for part in parts]
        return html_block("\n".join(texts), {"role": self.role})
