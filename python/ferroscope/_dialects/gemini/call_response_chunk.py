"""A chunk of a stream in Gemini's format."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ...core.base.call_response_chunk import BaseCallResponseChunk
from ...core.base.types import FinishReason as CommonFinishReason
from .call_response import first_parts
from .finish_reasons import block_reason, common_finish_reasons, finish_reasons
from .sdk_objects import read_response

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse, GenerateContentResponseUsageMetadata


class ContentCallResponseChunk(BaseCallResponseChunk["GenerateContentResponse", str]):
    """A chunk of a stream in Gemini's format, for any provider."""

    __slots__ = ()

    @classmethod
    def _read(cls, data: bytes) -> GenerateContentResponse:
        return cast("GenerateContentResponse", read_response(data))

    def _content(self) -> str:
        return "".join(part.text or "" for part in first_parts(self.chunk) if not part.thought)

    @property
    def thinking(self) -> str:
        """The thoughts in this chunk; empty if it has none."""
        return "".join(part.text or "" for part in first_parts(self.chunk) if part.thought)

    @property
    def finish_reasons(self) -> list[str] | None:
        """The finish reasons in this chunk, or the reason why the prompt was blocked; None if it has neither."""
        return finish_reasons(self.chunk) or None

    @property
    def model(self) -> str | None:
        """The name of the model."""
        return self.chunk.model_version

    @property
    def id(self) -> str | None:
        """The provider's id of the response."""
        return self.chunk.response_id

    @property
    def usage(self) -> GenerateContentResponseUsageMetadata | None:
        """The provider's usage object, with the totals of the response so far."""
        return self.chunk.usage_metadata

    @property
    def common_finish_reasons(self) -> list[CommonFinishReason] | None:
        """The finish reasons in common terms."""
        calls = any(part.function_call for part in first_parts(self.chunk))
        blocked = bool(block_reason(self.chunk)) and not self.chunk.candidates
        return common_finish_reasons(self.finish_reasons, blocked=blocked, calls=calls)
