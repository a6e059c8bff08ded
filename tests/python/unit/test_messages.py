"""`Messages` and what a message may be made of."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from ferroscope import (
    AudioPart,
    BaseMessageParam,
    CacheControlPart,
    DocumentPart,
    ImagePart,
    Messages,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)


def text(value: str) -> TextPart:
    return TextPart(type="text", text=value)


@pytest.mark.parametrize(
    ("make", "role"),
    [(Messages.System, "system"), (Messages.User, "user"), (Messages.Assistant, "assistant")],
)
def test_each_role_has_its_maker(make: Any, role: str) -> None:
    assert make("Hi") == BaseMessageParam(role=role, content="Hi")
    assert make(["a", "b"]) == BaseMessageParam(role=role, content=[text("a"), text("b")])


CACHE = CacheControlPart(type="cache_control", cache_type="ephemeral")

CONTENT: dict[str, tuple[Any, Any]] = {
    "text": ("Hi", "Hi"),
    "texts and parts": (["a", CACHE, text("b")], [text("a"), CACHE, text("b")]),
    "a tuple": (("a",), [text("a")]),
    "a generator": ((letter for letter in "ab"), [text("a"), text("b")]),
    "one part": (CACHE, [CACHE]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("given", "content"), CONTENT.values(), ids=CONTENT.keys())
def test_content(given: Any, content: Any) -> None:
    assert Messages.User(given).content == content


@pytest.mark.parametrize("given", [3, b"a", [3], {"a": 1}, None, [None], BaseMessageParam(role="user", content="a")])
def test_what_no_message_is_made_of(given: Any) -> None:
    with pytest.raises(ValueError, match="Invalid message sequence type"):
        Messages.User(given)


def png_image() -> Image.Image:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 1), "red").save(buffer, format="PNG")
    return Image.open(io.BytesIO(buffer.getvalue()))


def test_a_pil_image_goes_in_the_format_it_came_from() -> None:
    [part] = Messages.User([png_image()]).content
    assert isinstance(part, ImagePart)
    assert (part.media_type, part.detail) == ("image/png", None)
    assert Image.open(io.BytesIO(part.image)).getpixel((0, 0)) == (255, 0, 0)
    assert Messages.User(png_image()).content == [part]


def test_a_pil_image_without_a_format_is_refused() -> None:
    with pytest.raises(ValueError, match="Error converting image to bytes: unknown file extension: "):
        Messages.User([Image.new("RGB", (1, 1))])


def test_a_wave_reader_becomes_a_whole_wav_file_and_stays_where_it_was() -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(24_000)
        writer.writeframes(b"\x01\x00\x02\x00\x03\x00")
    with wave.open(io.BytesIO(buffer.getvalue())) as reader:
        reader.setpos(2)
        [part] = Messages.User([reader]).content
        assert reader.tell() == 2
    assert isinstance(part, AudioPart)
    assert isinstance(part.audio, bytes)
    assert part.media_type == "audio/wav"
    with wave.open(io.BytesIO(part.audio)) as copy:
        assert (copy.getframerate(), copy.readframes(9)) == (24_000, b"\x01\x00\x02\x00\x03\x00")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning", "ignore::RuntimeWarning")
def test_a_pydub_segment_is_resampled_for_speech() -> None:
    pydub = pytest.importorskip("pydub", exc_type=ImportError)
    segment = pydub.AudioSegment(bytes(44_100 * 4), frame_rate=44_100, sample_width=2, channels=2)
    [part] = Messages.User([segment]).content
    assert isinstance(part, AudioPart)
    assert isinstance(part.audio, bytes)
    with wave.open(io.BytesIO(part.audio)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)


def test_messages_survive_json() -> None:
    message = BaseMessageParam(
        role="assistant",
        content=[
            text("a"),
            ImagePart(type="image", media_type="image/png", image=b"\x89PNG\xff", detail=None),
            DocumentPart(type="document", media_type="application/pdf", document=b"%PDF\xff"),
            AudioPart(type="audio", media_type="audio/mp3", audio="SUQz"),
            ToolCallPart(type="tool_call", name="f", args={"x": [1, None]}, id="1"),
            ToolResultPart(type="tool_result", content="r", id="1", is_error=True),
        ],
        refusal="no",
    )
    assert BaseMessageParam.model_validate_json(message.model_dump_json()) == message


def test_sound_is_base64_in_json() -> None:
    stored = AudioPart(type="audio", media_type="audio/mp3", audio=b"ID3").model_dump_json()
    assert AudioPart.model_validate_json(stored).audio == "SUQz"


def test_a_part_as_a_dict_is_read_by_its_type() -> None:
    message = BaseMessageParam.model_validate(
        {
            "role": "user",
            "content": [{"type": "document", "media_type": "application/pdf", "document": b"%PDF"}],
        }
    )
    assert message.content == [DocumentPart(type="document", media_type="application/pdf", document=b"%PDF")]


def test_an_unknown_part_is_refused_with_the_types_there_are() -> None:
    with pytest.raises(ValidationError) as error:
        BaseMessageParam.model_validate({"role": "user", "content": [{"type": "video"}]})
    assert "'image_url'" in json.dumps([one["msg"] for one in error.value.errors()])
