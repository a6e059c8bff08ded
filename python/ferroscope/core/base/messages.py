"""Shortcuts for writing messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ._media.parts import audio_part, image_part, is_audio_segment, is_pil_image, is_wave_reader
from ._suggestions import shortened
from .message_param import BaseMessageParam, ContentPart, TextPart, is_content_part

if TYPE_CHECKING:
    from wave import Wave_read

    from .types import AudioSegment, ImageLike

    Piece: TypeAlias = ContentPart | str | ImageLike | AudioSegment | Wave_read
else:
    # Some callers evaluate annotations, which must not import the media types.
    Piece: TypeAlias = ContentPart | str
"""The content that a message can be created from: parts, texts, PIL images, pydub segments and wave readers."""


_KINDS: Final = "a message's content is text, a part such as `TextPart`, an image, or a list of these"


class Messages:
    """Constructors of messages by role. A prompt function may return messages or their content.

    ```python
    @openai.call("gpt-4o-mini")
    def recommend(genre: str) -> Messages.Type:
        return [
            Messages.System("You are a librarian"),
            Messages.User(f"Recommend a {genre} book"),
        ]
    ```
    """

    Type: TypeAlias = Piece | Sequence[Piece] | list[BaseMessageParam | Any] | BaseMessageParam
    """The type of prompts that a prompt function may return."""

    @classmethod
    def System(cls, content: Piece | Sequence[Piece]) -> BaseMessageParam:
        """Return a system message."""
        return BaseMessageParam(role="system", content=message_content(content))

    @classmethod
    def User(cls, content: Piece | Sequence[Piece]) -> BaseMessageParam:
        """Return a user message."""
        return BaseMessageParam(role="user", content=message_content(content))

    @classmethod
    def Assistant(cls, content: Piece | Sequence[Piece]) -> BaseMessageParam:
        """Return an assistant message."""
        return BaseMessageParam(role="assistant", content=message_content(content))


def message_content(content: object) -> str | list[ContentPart]:
    """Return a message's content for a text, for one piece, or for any iterable of pieces."""
    if isinstance(content, str):
        return content
    part = _part(content)
    if part is not None:
        return [part]
    # Mappings, models and bytes are iterable too, but their items are not pieces.
    if isinstance(content, bytes | bytearray | dict | BaseMessageParam) or not isinstance(content, Iterable):
        raise ValueError(f"Invalid message sequence type: {shortened(content)} ({_KINDS})")
    return [_part_or_error(piece) for piece in content]


def _part(piece: object) -> ContentPart | None:
    if is_content_part(piece):
        return piece
    if is_pil_image(piece):
        return image_part(piece)
    if is_audio_segment(piece) or is_wave_reader(piece):
        return audio_part(piece)
    return None


def _part_or_error(piece: object) -> ContentPart:
    if isinstance(piece, str):
        return TextPart(type="text", text=piece)
    part = _part(piece)
    if part is None:
        raise ValueError(f"Invalid message sequence type: {shortened(piece)} ({_KINDS})")
    return part
