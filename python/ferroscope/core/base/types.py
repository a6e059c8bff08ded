"""The small types that responses, costs and prompts share."""

from __future__ import annotations

from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from pydantic import BaseModel, Field

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]
"""Why a model stopped, in the words that every provider's reasons are mapped to."""

BaseType: TypeAlias = str | int | float | bool | bytes | list[Any] | set[Any] | tuple[Any, ...] | dict[str, Any]
"""The plain values that a response model may be, instead of a class."""

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
"""What a tool may answer."""

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
"""The providers that `llm.call` knows."""

LocalProvider: TypeAlias = Literal["ollama", "vllm"]
"""The servers on one's own machine that `llm.call` knows."""


class ImageLike(Protocol):
    """A picture in memory; `PIL.Image.Image` is one."""

    @property
    def format(self) -> str | None:
        """The file format it came from."""

    def save(self, fp: IO[bytes], format: str | None = None) -> None:
        """Write it as a file."""


if TYPE_CHECKING:
    # pydub ships no types; this is the part of its class that we use.
    class AudioSegment(Protocol):
        """A sound in memory: `pydub.AudioSegment` where pydub is installed."""

        def set_frame_rate(self, frame_rate: int) -> AudioSegment:
            """Resample."""
            ...

        def set_channels(self, channels: int) -> AudioSegment:
            """Mix down."""
            ...

        def set_sample_width(self, sample_width: int) -> AudioSegment:
            """Change the bytes of a sample."""
            ...

        def export(self, *, format: str) -> IO[bytes]:
            """Encode."""
            ...

    has_pil_module: bool
    has_pydub_module: bool


class Usage(BaseModel):
    """The tokens of a call; the total is input and output together."""

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    total_tokens: int


class VideoMetadata(BaseModel):
    """A video, as far as its price depends on it."""

    duration_seconds: float = Field(description="Duration of the video in seconds")
    with_audio: bool | None = Field(default=False, description="Whether its sound is processed too")
    tokens: int | None = Field(default=None, description="Its tokens, where they are known")


class AudioMetadata(BaseModel):
    """A sound, as far as its price depends on it."""

    duration_seconds: float = Field(description="Duration of the audio in seconds")
    with_timestamps: bool | None = Field(default=False, description="Whether timestamps are included")
    tokens: int | None = Field(default=None, description="Its tokens, where they are known")


class ImageMetadata(BaseModel):
    """An image, as far as its price depends on it."""

    width: int = Field(description="Width in pixels")
    height: int = Field(description="Height in pixels")
    tokens: int | None = Field(default=None, description="Its tokens, where they are known")
    detail: str | None = Field(default=None, description="Detail level")


class GoogleMetadata(BaseModel):
    """What only Google's prices depend on."""

    use_vertex_ai: bool | None = Field(default=False, description="Vertex AI prices, not the Gemini API's")
    grounding_requests: int | None = Field(default=None, description="Number of grounding requests")


class PDFImageMetadata(BaseModel):
    """An image in a PDF, as far as its price depends on it."""

    width: int = Field(description="Width in pixels")
    height: int = Field(description="Height in pixels")
    tokens: int | None = Field(default=None, description="Its tokens, where they are known")


class PDFMetadata(BaseModel):
    """A PDF, as far as its price depends on it."""

    page_count: int | None = Field(default=None, description="Number of pages")
    text_tokens: int | None = Field(default=None, description="Tokens of its text")
    images: list[PDFImageMetadata] | None = Field(default=None, description="Its images")
    cached: bool | None = Field(default=None, description="Whether it was cached")


class CostMetadata(BaseModel):
    """All that the price of a call may depend on; what is None is not known or does not apply."""

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
    audio: list[AudioMetadata] | None = Field(default=None, description="Sounds sent")
    audio_output: list[AudioMetadata] | None = Field(default=None, description="Sounds received")
    pdf: PDFMetadata | None = Field(default=None, description="PDF sent")
    context_cache_tokens: int | None = Field(default=None, description="Tokens kept in a context cache")
    context_cache_hours: float | None = Field(default=None, description="Hours they are kept")
    google: GoogleMetadata | None = Field(default=None, description="What only Google's prices depend on")
    realtime_tokens: int | None = Field(default=None, description="Realtime tokens (OpenAI)")
    cache_write: bool | None = Field(default=None, description="Whether a cache was written (Anthropic)")
    tool_use_tokens: int | None = Field(default=None, description="Tokens of tool use (Anthropic)")
    cost: float | None = Field(default=None, description="The cost, where the provider says it")


def __getattr__(name: str) -> Any:
    """Find the optional media libraries when somebody asks for them, not at import."""
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
    """Stands in for the module `PIL.Image`, so that annotations that name it still evaluate."""

    class Image:
        """No object is an instance of it."""


class _NoPydub:
    """Stands in for `pydub.AudioSegment`; no object is an instance of it."""
