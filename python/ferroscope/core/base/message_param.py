"""A message and the parts it may be made of, the same for every provider.

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


def _to_base64(data: bytes | str) -> str:
    return data if isinstance(data, str) else base64.b64encode(data).decode()


def _from_base64(value: Any, info: ValidationInfo) -> Any:
    return base64.b64decode(value, validate=True) if info.mode == "json" and isinstance(value, str) else value


# JSON has no bytes; without this a history with an image could not be stored.
_InJson = PlainSerializer(_to_base64, return_type=str, when_used="json")
_Data: TypeAlias = Annotated[bytes, BeforeValidator(_from_base64), _InJson]


class TextPart(BaseModel):
    """A piece of text."""

    type: Literal["text"]
    text: str


class CacheControlPart(BaseModel):
    """Marks the end of a prefix that the provider may cache (Anthropic)."""

    type: Literal["cache_control"]
    cache_type: str


class ImagePart(BaseModel):
    """An image by its bytes; `detail` is OpenAI's hint on how closely to look."""

    type: Literal["image"]
    media_type: str
    image: _Data
    detail: str | None


class ImageURLPart(BaseModel):
    """An image by its address: a web or storage URL, or a `data:` URL."""

    type: Literal["image_url"]
    url: str
    detail: str | None


class AudioPart(BaseModel):
    """A sound by its bytes, or by the base64 text of them."""

    type: Literal["audio"]
    media_type: str
    audio: Annotated[str | bytes, _InJson]


class AudioURLPart(BaseModel):
    """A sound by its address."""

    type: Literal["audio_url"]
    url: str


class DocumentPart(BaseModel):
    """A document by its bytes, most often a PDF."""

    type: Literal["document"]
    media_type: str
    document: _Data


class DocumentURLPart(BaseModel):
    """A document by its address."""

    type: Literal["document_url"]
    url: str


class ToolCallPart(BaseModel):
    """A call of a tool, as the model made it.

    Arguments that are no JSON object stay readable in the extra field `arguments`; `args` is None then.
    """

    model_config = ConfigDict(extra="allow")

    type: Literal["tool_call"]
    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class ToolResultPart(BaseModel):
    """What a tool answered; `id` is the id of the call it answers."""

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
    """Whether it is a part; quick where it is just one of the classes, as it nearly always is."""
    return type(value) in _PART_TYPES or isinstance(value, _PARTS)


class BaseMessageParam(BaseModel):
    """One message: who speaks (`system`, `user`, `assistant`, `tool`), and what.

    A message that came from a provider may have content that no part represents: thoughts and their signatures,
    server tools, refusals, the id of a spoken answer. It is kept in one extra field, `provider_data` (see
    `ferroscope.core.base._messages.provider_data`), which JSON keeps too. It goes back unmodified to the provider
    and model that it came from; other providers get the parts.
    """

    model_config = ConfigDict(extra="allow")

    role: str
    content: str | Sequence[Annotated[ContentPart, Field(discriminator="type")]]
