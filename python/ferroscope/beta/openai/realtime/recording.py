"""Input from the terminal and from the microphone.

The microphone needs the package sounddevice (the extra `realtime`) and the library PortAudio.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager
from importlib import import_module
from io import BytesIO
from typing import Any, Final, cast

from ...._engine.extras import require_package
from ._audio import SAMPLE_RATE, wav_of

_BLOCK_FRAMES: Final = SAMPLE_RATE // 10
"""The number of frames in a block of a recording: a tenth of a second."""


async def async_input(prompt: str) -> str:
    """Return a line from the terminal, without blocking the event loop.

    Args:
        prompt: The text to print first.
    """
    return await asyncio.to_thread(input, prompt)


async def record(custom_blocking_event: Callable[..., Awaitable[Any]]) -> BytesIO:  # Any: the result is not used
    """Record from the microphone until an awaitable is done, and return a WAV file.

    Args:
        custom_blocking_event: A function whose awaitable ends the recording, such as one with `async_input`.

    Raises:
        ferroscope.errors.MissingExtraError: sounddevice is not installed.
    """
    blocks: list[bytes] = []
    with _microphone(blocks.append):
        await custom_blocking_event()
    return wav_of(b"".join(blocks))


async def record_as_stream(
    custom_blocking_event: Callable[..., Awaitable[Any]] | None = None,  # Any: the result is not used
) -> AsyncGenerator[BytesIO, None]:
    """Record from the microphone and yield WAV files of a tenth of a second.

    Args:
        custom_blocking_event: A function whose awaitable ends the recording; None records until the loop is left.

    Raises:
        ferroscope.errors.MissingExtraError: sounddevice is not installed.
    """
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes | None] = asyncio.Queue()

    def received(block: bytes) -> None:
        loop.call_soon_threadsafe(blocks.put_nowait, block)

    async def stop() -> None:
        if custom_blocking_event is not None:
            await custom_blocking_event()
            blocks.put_nowait(None)

    with _microphone(received):
        stopping = asyncio.create_task(stop())
        try:
            while (block := await blocks.get()) is not None:
                yield wav_of(block)
        finally:
            stopping.cancel()


def _microphone(receive: Callable[[bytes], None]) -> AbstractContextManager[Any]:  # Any: sounddevice has no types
    """Return an input stream that passes each block of PCM to a function, from another thread."""
    require_package("sounddevice", extra="realtime", user="recording")
    stream = import_module("sounddevice").RawInputStream

    def callback(block: Any, frames: int, time: Any, status: Any) -> None:
        receive(bytes(block))

    opened = stream(samplerate=SAMPLE_RATE, channels=1, dtype="int16", blocksize=_BLOCK_FRAMES, callback=callback)
    return cast("AbstractContextManager[Any]", opened)
