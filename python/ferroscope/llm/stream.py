"""The stream of an `llm` call, the same for every provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..core.base.message_param import BaseMessageParam
from ..core.base.stream import AnyStream, BaseStream
from ..core.base.types import FinishReason, Provider, Usage
from .call_response import CallResponse
from .call_response_chunk import CallResponseChunk
from .tool import Tool

_Base = BaseStream[
    CallResponse,
    CallResponseChunk,
    BaseMessageParam,
    BaseMessageParam,
    BaseMessageParam,
    BaseMessageParam,
    Tool,
    Any,
    Any,
    Any,
    FinishReason,
]


class Stream(_Base):
    """The stream of an `llm` call: an iterator over `(llm.CallResponseChunk, llm.Tool | None)` pairs.

    Attributes that only the provider's stream has (`thinking`, `audio_id`, …) can be read from it too.

    Example:
        ```python
        from ferroscope import llm


        @llm.call(provider="openai", model="gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"


        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            print(chunk.content, end="", flush=True)
        print(stream.finish_reasons, stream.usage)
        ```
    """

    def __init__(self, *, stream: AnyStream) -> None:
        # Any: each provider has its own type parameters.
        self._stream = stream
        self._run = stream._run
        self._model = stream._model
        self.metadata = stream.metadata
        self.tool_types = stream.tool_types
        self.call_response_type = CallResponse
        self.prompt_template = stream.prompt_template
        self.fn_args = stream.fn_args
        self.dynamic_config = stream.dynamic_config
        self.call_params = stream.call_params
        self.call_kwargs = stream.call_kwargs

    if TYPE_CHECKING:
        # Narrower than the type in the base class, which depends on the provider.
        @property
        def usage(self) -> Usage | None:
            """The token counts that the provider has reported so far; None if it reported none."""
            ...
    else:

        @property
        def messages(self) -> list[BaseMessageParam]:
            """The messages of the request."""
            return self._run.response().messages

        @property
        def user_message_param(self) -> BaseMessageParam | None:
            """The last message of the request if its role is `user`, else None."""
            return self._run.response().user_message_param

        def __getattr__(self, name: str) -> object:
            if name.startswith("__") or name == "_stream":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return getattr(self._stream, name)

    @property
    def provider(self) -> Provider:
        """The provider that was called."""
        return self._stream.provider

    @property
    def finish_reasons(self) -> list[FinishReason] | None:
        """The finish reason of each choice; None while no choice has ended."""
        response: Any = self._run.response()  # Any: a CallResponse
        reasons: list[FinishReason] | None = response.finish_reasons
        return reasons

    @classmethod
    def tool_message_params(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls, tools_and_outputs: Sequence[tuple[Tool, object]]
    ) -> list[BaseMessageParam]:
        """Return the messages that report the outputs of tools to the model."""
        return CallResponse.tool_message_params(tools_and_outputs)
