"""Audio in the form of the realtime API: 16-bit mono PCM with 24,000 samples per second."""

from __future__ import annotations

import io
import wave
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ...._engine.extras import require_package

if TYPE_CHECKING:
    from ....core.base.types import AudioSegment

SAMPLE_RATE: Final = 24_000
SAMPLE_WIDTH: Final = 2


def segment_class() -> Any:  # Any: pydub has no types
    """Return `pydub.AudioSegment`.

    Raises:
        ferroscope.errors.MissingExtraError: pydub is not installed.
    """
    require_package("pydub", extra="realtime", user="audio of `ferroscope.beta.openai`")
    return import_module("pydub").AudioSegment


def audio_segment(pcm: bytes) -> AudioSegment:
    """Return audio of the API as a pydub segment."""
    segment: AudioSegment = segment_class()(pcm, sample_width=SAMPLE_WIDTH, frame_rate=SAMPLE_RATE, channels=1)
    return segment


def pcm_of(audio: bytes | io.BytesIO) -> bytes:
    """Return an audio file as PCM for the API.

    A WAV file in the API's form is read directly. pydub converts other files; most formats also need ffmpeg.
    """
    data = audio.getvalue() if isinstance(audio, io.BytesIO) else audio
    form = "wav" if data[:4] == b"RIFF" else None  # pydub reads WAV files without ffmpeg
    if form:
        with wave.open(io.BytesIO(data)) as reader:
            if (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (1, SAMPLE_WIDTH, SAMPLE_RATE):
                frames: bytes = reader.readframes(reader.getnframes())
                return frames
    segment = segment_class().from_file(io.BytesIO(data), format=form)
    pcm: bytes = segment.set_frame_rate(SAMPLE_RATE).set_channels(1).set_sample_width(SAMPLE_WIDTH).raw_data
    return pcm


def wav_of(pcm: bytes) -> io.BytesIO:
    """Return PCM of the API as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(SAMPLE_WIDTH)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(pcm)
    file.seek(0)
    return file
