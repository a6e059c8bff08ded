"""Conversion of an image, audio or a document in the forms that users pass to a message part.

The media type is detected from the first bytes, never from a file name. A web URL stays a URL. A dialect whose provider
cannot fetch URLs fetches the bytes.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from ..message_param import (
    AudioPart,
    AudioURLPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
)

if TYPE_CHECKING:
    # At runtime, this import would load pydub.
    from ..types import AudioSegment, ImageLike

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"})
_HEIF_BRANDS = frozenset({b"mif1", b"msf1", b"heif"})
_REMOTE = ("http://", "https://", "gs://")

_SPEECH_RATE = 24_000  # the sample rate that speech models expect, with mono, 16-bit samples


def image_media_type(data: bytes) -> str:
    """Return the media type of an image from its first bytes.

    Raises:
        ValueError: The format is not recognized.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        if data[8:12] in _HEIC_BRANDS:
            return "image/heic"
        if data[8:12] in _HEIF_BRANDS:
            return "image/heif"
    raise ValueError(f"Unsupported image type: {_describe_unknown(data)}; use JPEG, PNG, GIF, WebP, HEIC or HEIF")


def audio_media_type(data: bytes) -> str:
    """Return the media type of audio from its first bytes.

    Raises:
        ValueError: The format is not recognized.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    if data[:3] == b"ID3":
        return "audio/mp3"
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if data[:4] == b"OggS":
        return "audio/ogg"
    if data[:4] == b"fLaC":
        return "audio/flac"
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        # An MPEG frame; ADTS (AAC) is the one whose layer bits are zero.
        return "audio/aac" if data[1] & 0x06 == 0 else "audio/mp3"
    raise ValueError(f"Unsupported audio type: {_describe_unknown(data)}; use WAV, MP3, AIFF, AAC, OGG or FLAC")


def document_media_type(data: bytes) -> str:
    """Return the media type of a document from its first bytes.

    Raises:
        ValueError: The format is not recognized.
    """
    if data.startswith(b"%PDF"):
        return "application/pdf"
    raise ValueError(f"Unsupported document type: {_describe_unknown(data)}; use PDF")


def _describe_unknown(data: bytes) -> str:
    return f"the data begins with {data[:12]!r}" if data else "the data is empty"


def image_part(source: object, detail: str | None = None) -> ImagePart | ImageURLPart:
    """Return the part for an image: a web URL, a path, a `data:` or `file:` URL, bytes, or a PIL image."""
    if isinstance(source, str) and source.startswith(_REMOTE):
        return ImageURLPart(type="image_url", url=source, detail=detail)
    if is_pil_image(source):
        media_type, data = _pil_bytes(source)
    else:
        data = load(source)
        media_type = image_media_type(data)
    return ImagePart(type="image", media_type=media_type, image=data, detail=detail)


def audio_part(source: object) -> AudioPart | AudioURLPart:
    """Return the part for audio: the same as for an image, or a pydub segment or a wave reader."""
    if isinstance(source, str) and source.startswith(_REMOTE):
        return AudioURLPart(type="audio_url", url=source)
    if is_audio_segment(source):
        data = _segment_bytes(source)
    elif is_wave_reader(source):
        data = _wave_bytes(source)
    else:
        data = load(source)
    return AudioPart(type="audio", media_type=audio_media_type(data), audio=data)


def document_part(source: object) -> DocumentPart | DocumentURLPart:
    """Return the part for a document: a web URL, a path, a `data:` or `file:` URL, or bytes."""
    if isinstance(source, str) and source.startswith(_REMOTE):
        return DocumentURLPart(type="document_url", url=source)
    data = load(source)
    return DocumentPart(type="document", media_type=document_media_type(data), document=data)


def load(source: object) -> bytes:
    """Return the bytes of a local source: bytes, a path, a `file:` or a `data:` URL.

    Raises:
        ValueError: The source cannot be read; the cause is chained.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    shown = source if not isinstance(source, str) or len(source) <= 200 else source[:200] + "…"
    try:
        return _read(source)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"Failed to load or encode data from {shown}") from error


def _read(source: object) -> bytes:
    import os

    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"expected a path, a URL or bytes, not {type(source).__name__}")
    path = os.fspath(source)
    if isinstance(path, str) and path[:5].lower() == "data:":
        return data_url_bytes(path)[1]
    if isinstance(path, str) and path[:7].lower() == "file://":
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        path = url2pathname(urlsplit(path).path)
    from .fetch import FetchPolicy

    limit = FetchPolicy.from_environment().max_bytes
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"the file has more than {limit} bytes; set FERROSCOPE_MEDIA_MAX_BYTES to a higher limit")
    return data


def data_url_bytes(url: str) -> tuple[str, bytes]:
    """Return the media type and the bytes of a `data:` URL (RFC 2397)."""
    header, comma, body = url[5:].partition(",")
    if not comma:
        raise ValueError("a data URL must have a comma between its media type and its data")
    media_type, *options = (piece.strip() for piece in header.split(";"))
    if any(option.lower() == "base64" for option in options):
        import base64
        from urllib.parse import unquote_to_bytes

        raw = unquote_to_bytes(body)
        return media_type or "text/plain", base64.b64decode(b"".join(raw.split()), validate=True)
    from urllib.parse import unquote_to_bytes

    return media_type or "text/plain", unquote_to_bytes(body)


def is_pil_image(value: object) -> bool:
    """Return whether a value is a PIL image, without importing PIL."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def is_audio_segment(value: object) -> bool:
    """Return whether a value is a pydub segment, without importing pydub."""
    module = sys.modules.get("pydub.audio_segment")
    return module is not None and isinstance(value, module.AudioSegment)


def is_wave_reader(value: object) -> bool:
    """Return whether a value is an open reader of the standard library's `wave` module."""
    module = sys.modules.get("wave")
    return module is not None and isinstance(value, module.Wave_read)


def _pil_bytes(image: Any) -> tuple[str, bytes]:
    """Return the media type and the file bytes of a PIL image, in its original format."""
    picture: ImageLike = image
    buffer = io.BytesIO()
    try:
        picture.save(buffer, format=picture.format or "")
    except (KeyError, OSError, ValueError) as error:
        reason = str(error) if picture.format else "unknown file extension: "
        raise ValueError(f"Error converting image to bytes: {reason}") from error
    data = buffer.getvalue()
    try:
        return image_media_type(data), data
    except ValueError:
        # No provider supports this type; the provider's error shows the image's own format.
        return f"image/{(picture.format or '').lower()}", data


def _segment_bytes(segment: Any) -> bytes:
    """Return a pydub segment as a WAV file, in the form that speech models expect."""
    sound: AudioSegment = segment
    mono = sound.set_frame_rate(_SPEECH_RATE).set_channels(1).set_sample_width(2)
    with mono.export(format="wav") as file:
        return file.read()


def _wave_bytes(reader: Any) -> bytes:
    """Return the complete content of a wave reader as a WAV file, without changing its position."""
    import wave

    source: wave.Wave_read = reader
    position = source.tell()
    source.rewind()
    frames = source.readframes(source.getnframes())
    source.setpos(position)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as target:
        target.setnchannels(source.getnchannels())
        target.setsampwidth(source.getsampwidth())
        target.setframerate(source.getframerate())
        target.writeframes(frames)
    return buffer.getvalue()
