"""The configuration of a session: v1's options under the names of the current API.

https://platform.openai.com/docs/api-reference/realtime-client-events/session/update
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

from ....core.base._prompts.callers import callers_level

NotSet: Final = object()
"""The value of an option that is not sent, so that the API uses its default."""

# The names of the beta API, and the formats of the current one.
_FORMATS: Final[dict[str, dict[str, object]]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
# Options with another place in the current API.
_PLACES: Final = {
    "turn_detection": ("audio", "input", "turn_detection"),
    "input_audio_transcription": ("audio", "input", "transcription"),
    "input_audio_format": ("audio", "input", "format"),
    "output_audio_format": ("audio", "output", "format"),
    "voice": ("audio", "output", "voice"),
    "modalities": ("output_modalities",),
    "max_response_output_tokens": ("max_output_tokens",),
}


def session_of(options: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values
    """Return the session for v1's options; those that are `NotSet` are left out.

    Raises:
        ValueError: An audio format is unknown.
    """
    session: dict[str, Any] = {"type": "realtime"}
    for name, value in options.items():
        if value is NotSet:
            continue
        if name == "temperature":
            warnings.warn(
                "`temperature` is not sent: OpenAI's realtime API no longer has it",
                UserWarning,
                stacklevel=callers_level(),
            )
            continue
        place = _PLACES.get(name, (name,))
        parent = session
        for key in place[:-1]:
            parent = parent.setdefault(key, {})
        parent[place[-1]] = _value(name, value)
    return session


def _value(name: str, value: Any) -> Any:  # Any: JSON values
    match name:
        case "modalities":
            # The current API accepts one modality. Audio always comes with its transcript.
            return ["audio"] if "audio" in value else list(value)
        case "input_audio_transcription":
            return {"model": value} if isinstance(value, str) else value
        case "input_audio_format" | "output_audio_format" if isinstance(value, str):
            if value not in _FORMATS:
                raise ValueError(f"`{name}` is one of {', '.join(map(repr, _FORMATS))}, not {value!r}")
            return dict(_FORMATS[value])
        case "max_response_output_tokens" if value == float("inf"):
            return "inf"
    return value
