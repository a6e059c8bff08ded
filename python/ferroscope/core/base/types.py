"""Small types that responses, costs and prompts share."""

from __future__ import annotations

from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pydantic import BaseModel, Field

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]
"""The common finish reasons, which every provider's own reasons are mapped to."""

BaseType: TypeAlias = str | int | float | bool | bytes | list[Any] | set[Any] | tuple[Any, ...] | dict[str, Any]
"""The plain types that can be used as a response model."""

JsonableType: TypeAlias = (
    str
    | int
    | float
    | bool
    | bytes
    | list["JsonableType"]
    | set["JsonableType"]
    | tuple["JsonableType", ...]
    | dict[str, "JsonableType"]
    | BaseModel
)
"""The types of a tool's output."""

Provider: TypeAlias = Literal[
    "anthropic",
    "azure",
    "bedrock",
    "cohere",
    "gemini",
    "google",
    "groq",
    "litellm",
    "mistral",
    "openai",
    "vertex",
    "xai",
]
"""The names of the providers with classes of their own."""

LocalProvider: TypeAlias = Literal["ollama", "vllm"]
"""The names of the local servers."""


class ImageLike(Protocol):
    """An image in memory, such as `PIL.Image.Image`."""

    @property
    def format(self) -> str | None:
        """The file format of the image, or None."""

    def save(self, fp: IO[bytes], format: str | None = None) -> None:
        """Write the image as a file."""


if TYPE_CHECKING:
    # pydub ships no types; this protocol has the methods that are used here.
    class AudioSegment(Protocol):
        """Audio in memory: `pydub.AudioSegment` if pydub is installed."""

        def set_frame_rate(self, frame_rate: int) -> AudioSegment:
            """Return the audio resampled to a rate in hertz."""
            ...

        def set_channels(self, channels: int) -> AudioSegment:
            """Return the audio mixed to a number of channels."""
            ...

        def set_sample_width(self, sample_width: int) -> AudioSegment:
            """Return the audio with a sample width in bytes."""
            ...

        def export(self, *, format: str) -> IO[bytes]:
            """Encode the audio as a file."""
            ...

    has_pil_module: bool
    has_pydub_module: bool


class Usage(BaseModel):
    """The token counts of a call; the total is the sum of input and output."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    total_tokens: int


class VideoMetadata(BaseModel):
    """The properties of a video that its price depends on."""

    duration_seconds: float = Field(description="Duration of the video in seconds")
    with_audio: bool | None = Field(default=False, description="Whether its audio is processed too")
    tokens: int | None = Field(default=None, description="Number of tokens, if known")


class AudioMetadata(BaseModel):
    """The properties of audio that its price depends on."""

    duration_seconds: float = Field(description="Duration of the audio in seconds")
    with_timestamps: bool | None = Field(default=False, description="Whether timestamps are included")
    tokens: int | None = Field(default=None, description="Number of tokens, if known")


class ImageMetadata(BaseModel):
    """The properties of an image that its price depends on."""

    width: int = Field(description="Width in pixels")
    height: int = Field(description="Height in pixels")
    tokens: int | None = Field(default=None, description="Number of tokens, if known")
    detail: str | None = Field(default=None, description="Detail level")


class GoogleMetadata(BaseModel):
    """The properties of a call that only Google's prices depend on."""

    use_vertex_ai: bool | None = Field(default=False, description="Whether Vertex AI prices apply")
    grounding_requests: int | None = Field(default=None, description="Number of grounding requests")


class PDFImageMetadata(BaseModel):
    """The properties of an image in a PDF that its price depends on."""

    width: int = Field(description="Width in pixels")
    height: int = Field(description="Height in pixels")
    tokens: int | None = Field(default=None, description="Number of tokens, if known")


class PDFMetadata(BaseModel):
    """The properties of a PDF that its price depends on."""

    page_count: int | None = Field(default=None, description="Number of pages")
    text_tokens: int | None = Field(default=None, description="Number of tokens of its text")
    images: list[PDFImageMetadata] | None = Field(default=None, description="Its images")
    cached: bool | None = Field(default=None, description="Whether it was cached")


class CostMetadata(BaseModel):
    """The counts and properties that the price of a call depends on; None if unknown or not applicable."""

    input_tokens: int | float | None = Field(default=None, description="Input tokens")
    output_tokens: int | float | None = Field(default=None, description="Output tokens")
    cached_tokens: int | float | None = Field(default=None, description="Cached tokens")
    streaming_mode: bool | None = Field(default=None, description="Whether the call was streamed")
    cached_response: bool | None = Field(default=None, description="Whether the response came from a cache")
    context_length: int | None = Field(default=None, description="Length of the context window in tokens")
    realtime_mode: bool | None = Field(default=None, description="Whether it was processed in real time")
    region: str | None = Field(default=None, description="Cloud region")
    tier: str | None = Field(default=None, description="Service tier")
    batch_mode: bool | None = Field(default=None, description="Whether it ran in a batch")
    images: list[ImageMetadata] | None = Field(default=None, description="Images sent")
    videos: list[VideoMetadata] | None = Field(default=None, description="Videos sent")
    audio: list[AudioMetadata] | None = Field(default=None, description="Audio sent")
    audio_output: list[AudioMetadata] | None = Field(default=None, description="Audio received")
    pdf: PDFMetadata | None = Field(default=None, description="PDF sent")
    context_cache_tokens: int | None = Field(default=None, description="Tokens stored in a context cache")
    context_cache_hours: float | None = Field(default=None, description="Hours for which they are stored")
    google: GoogleMetadata | None = Field(default=None, description="Properties that only Google's prices depend on")
    realtime_tokens: int | None = Field(default=None, description="Realtime tokens (OpenAI)")
    cache_write: bool | None = Field(default=None, description="Whether a cache was written (Anthropic)")
    tool_use_tokens: int | None = Field(default=None, description="Tokens of tool use (Anthropic)")
    cost: float | None = Field(default=None, description="The cost in USD, if the provider reports it")


def __getattr__(name: str) -> Any:
    """Import the optional media libraries on first access."""
    if name in ("Image", "has_pil_module"):
        try:
            from PIL import Image
        except ImportError:
            found = {"Image": _NoPillow, "has_pil_module": False}
        else:
            found = {"Image": Image, "has_pil_module": True}
    elif name in ("AudioSegment", "has_pydub_module"):
        try:
            # By name, because pydub ships no types.
            segment = import_module("pydub").AudioSegment
        except ImportError:
            found = {"AudioSegment": _NoPydub, "has_pydub_module": False}
        else:
            found = {"AudioSegment": segment, "has_pydub_module": True}
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals().update(found)
    return found[name]


class _NoPillow:
    """A placeholder for the module `PIL.Image`, so that annotations that use it can be evaluated."""

    class Image:
        """A placeholder for the class `PIL.Image.Image`, without instances."""


class _NoPydub:
    """A placeholder for `pydub.AudioSegment`, without instances."""
