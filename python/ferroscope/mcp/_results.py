"""The results of tool calls: a list for the program, and a short text for the model."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Final

from pydantic import model_serializer

from ..core.base.message_param import ImagePart
from ._sdk import as_wire, types

MAX_RESULT_CHARACTERS: Final = 100_000
"""The default limit of the text of a result. The whole text stays readable in `MCPToolResult.raw`."""


class MCPToolResult(list[Any]):  # Any: texts and the content classes of mcp, which differ between its majors
    """The result of a tool: a list of texts, images, audio and resources, in the server's order.

    Media and resources are instances of mcp's classes. In a tool message, they become their text or a short note
    instead of base64.

    Attributes:
        raw: The complete result as mcp's class.
    """

    def __init__(self, raw: types.CallToolResult, max_characters: int = MAX_RESULT_CHARACTERS) -> None:
        self.raw = raw
        super().__init__(_items(raw, max_characters))

    @property
    def text(self) -> str:
        """The result as text for the model, with notes in place of media."""
        return "\n".join(item if isinstance(item, str) else _note(as_content(item)) for item in self)

    @property
    def images(self) -> list[ImagePart]:
        """The images, as parts of a message to the model."""
        return [
            ImagePart(
                type="image", media_type=content["mimeType"], image=base64.b64decode(content["data"]), detail=None
            )
            for content in map(as_wire, self.raw.content)
            if content["type"] == "image"
        ]

    @property
    def structured(self) -> Any:  # Any: JSON values
        """The structured content, or None."""
        return as_wire(self.raw).get("structuredContent")


class _NotedImage(types.ImageContent):
    @model_serializer(mode="plain")
    def _as_note(self) -> str:
        return _note(as_content(self))


class _NotedAudio(types.AudioContent):
    @model_serializer(mode="plain")
    def _as_note(self) -> str:
        return _note(as_content(self))


class _NotedLink(types.ResourceLink):
    @model_serializer(mode="plain")
    def _as_note(self) -> str:
        return _note(as_content(self))


class _NotedResource(types.EmbeddedResource):
    @model_serializer(mode="plain")
    def _as_note(self) -> str:
        return _note(as_content(self))


_NOTED: Final[dict[Any, Any]] = {  # Any: content classes of mcp, and subclasses of them
    types.ImageContent: _NotedImage,
    types.AudioContent: _NotedAudio,
    types.ResourceLink: _NotedLink,
    types.EmbeddedResource: _NotedResource,
}


def as_content(item: Any) -> dict[str, Any]:  # Any: a content class of mcp, and JSON values
    """Return an item of a result under the names of the protocol."""
    for plain, noted in _NOTED.items():
        if isinstance(item, noted):
            return as_wire(plain.model_construct(None, **vars(item)))
    return as_wire(item)


def _items(raw: types.CallToolResult, max_characters: int) -> Iterable[object]:
    left = max_characters
    for item in raw.content:
        text = _text_of(item)
        if text is None:
            yield _NOTED[type(item)].model_construct(None, **vars(item))
            continue
        if isinstance(item, types.TextContent):
            yield _cut(text, left)
        elif len(text) <= left:
            yield _NotedResource.model_construct(None, **vars(item))
        else:
            yield _cut(text, left)
        left = max(left - len(text), 0)
    structured = as_wire(raw).get("structuredContent")
    if not raw.content and structured is not None:
        yield _cut(json.dumps(structured, ensure_ascii=False), left)


def _text_of(item: object) -> str | None:
    if isinstance(item, types.TextContent):
        return item.text
    if isinstance(item, types.EmbeddedResource) and isinstance(item.resource, types.TextResourceContents):
        return item.resource.text
    return None


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n[{len(text) - limit} of {len(text)} characters left out]"


def _note(content: dict[str, Any]) -> str:  # Any: JSON values
    match content["type"]:
        case "image" | "audio" as kind:
            return f"[{kind} {content['mimeType']}, {_size(content['data'])} bytes]"
        case "resource_link":
            return f"[resource {content['name']}: {content['uri']}]"
        case "resource":
            resource = content["resource"]
            if "text" in resource:
                text: str = resource["text"]
                return text
            media_type = resource.get("mimeType", "application/octet-stream")
            return f"[resource {resource['uri']}, {media_type}, {_size(resource['blob'])} bytes]"
        case kind:
            return f"[{kind}]"


def _size(encoded: str) -> int:
    return len(encoded) * 3 // 4 - encoded[-2:].count("=")
