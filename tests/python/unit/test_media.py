"""Media: types by their first bytes, sources on this machine, and what is never read from a network."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from ferroscope import (
    AudioPart,
    AudioURLPart,
    DocumentPart,
    DocumentURLPart,
    ImagePart,
    ImageURLPart,
)
from ferroscope.core.base._media.parts import (
    audio_media_type,
    audio_part,
    data_url_bytes,
    document_media_type,
    document_part,
    image_media_type,
    image_part,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
PDF = b"%PDF-1.7\n"

IMAGES = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "image/png": PNG,
    "image/gif": b"GIF89a\x01\x00",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "image/heic": b"\x00\x00\x00\x18ftypheic",
    "image/heif": b"\x00\x00\x00\x18ftypmif1",
}
SOUNDS = [
    ("audio/wav", WAV),
    ("audio/mp3", b"ID3\x04\x00"),
    ("audio/mp3", b"\xff\xfb\x90\x64"),
    ("audio/mp3", b"\xff\xf3\x40\xc0"),
    ("audio/aac", b"\xff\xf1\x50\x80"),
    ("audio/aac", b"\xff\xf9\x50\x80"),
    ("audio/aiff", b"FORM\x00\x00\x00\x00AIFF"),
    ("audio/aiff", b"FORM\x00\x00\x00\x00AIFC"),
    ("audio/ogg", b"OggS\x00"),
    ("audio/flac", b"fLaC\x00"),
]


@pytest.mark.parametrize(("media_type", "data"), IMAGES.items())
def test_image_type(media_type: str, data: bytes) -> None:
    assert image_media_type(data) == media_type


@pytest.mark.parametrize(("media_type", "data"), SOUNDS)
def test_audio_type(media_type: str, data: bytes) -> None:
    assert audio_media_type(data) == media_type


def test_document_type() -> None:
    assert document_media_type(PDF) == "application/pdf"


@pytest.mark.parametrize("data", [b"", b"a", b"<svg/>", b"RIFF\x24\x00\x00\x00AVI ", b"\x00\x00\x00\x18ftypavif"])
@pytest.mark.parametrize(
    ("detect", "message"),
    [
        (image_media_type, "Unsupported image type"),
        (audio_media_type, "Unsupported audio type"),
        (document_media_type, "Unsupported document type"),
    ],
)
def test_unknown_type(detect: Any, message: str, data: bytes) -> None:
    with pytest.raises(ValueError, match=message):
        detect(data)


URL = "https://example.com/a"


def test_a_web_address_stays_an_address() -> None:
    assert image_part(URL, "low") == ImageURLPart(type="image_url", url=URL, detail="low")
    assert image_part("gs://bucket/a.png") == ImageURLPart(type="image_url", url="gs://bucket/a.png", detail=None)
    assert audio_part(URL) == AudioURLPart(type="audio_url", url=URL)
    assert document_part(URL) == DocumentURLPart(type="document_url", url=URL)


def sources(tmp_path: Path, data: bytes) -> list[Any]:
    path = tmp_path / "with blank.bin"
    path.write_bytes(data)
    encoded = base64.b64encode(data).decode()
    return [
        data,
        bytearray(data),
        str(path),
        path,
        path.as_uri(),
        f"data:application/octet-stream;base64,{encoded}",
        "data:," + "".join(f"%{byte:02x}" for byte in data),
    ]


def test_every_source_gives_the_same_part(tmp_path: Path) -> None:
    for source in sources(tmp_path, PNG):
        assert image_part(source, "low") == ImagePart(type="image", media_type="image/png", image=PNG, detail="low")
    for source in sources(tmp_path, WAV):
        assert audio_part(source) == AudioPart(type="audio", media_type="audio/wav", audio=WAV)
    for source in sources(tmp_path, PDF):
        assert document_part(source) == DocumentPart(type="document", media_type="application/pdf", document=PDF)


@pytest.mark.parametrize("source", ["no/such/file.png", 3, "data:image/png;base64", "data:image/png;base64,é", "a\0b"])
def test_what_cannot_be_read(source: Any) -> None:
    with pytest.raises(ValueError, match="Failed to load or encode data from") as error:
        image_part(source)
    assert error.value.__cause__ is not None


def test_a_long_source_is_shortened_in_the_error() -> None:
    with pytest.raises(ValueError, match="Failed to load") as error:
        image_part("data:image/png;base64," + "%" * 100_000)
    assert len(str(error.value)) < 300


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROSCOPE_MEDIA_MAX_BYTES", "10")
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    with pytest.raises(ValueError, match="Failed to load or encode data from") as error:
        image_part(path)
    assert "more than 10 bytes" in str(error.value.__cause__)


@pytest.mark.parametrize(
    ("url", "media_type", "data"),
    [
        ("data:,a%20b", "text/plain", b"a b"),
        ("data:image/png;base64,aGk=", "image/png", b"hi"),
        ("data:image/png;name=a.png;BASE64,aG%6B=", "image/png", b"hi"[:1] + b"i"),
        ("data:text/plain;charset=utf-8,h%C3%A9", "text/plain", "hé".encode()),
        ("data:image/png;base64,aG\nk=", "image/png", b"hi"),
    ],
)
def test_data_url(url: str, media_type: str, data: bytes) -> None:
    assert data_url_bytes(url) == (media_type, data)
