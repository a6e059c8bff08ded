"""An application over OpenAI's realtime API: functions that send, functions that receive, and tools.

https://platform.openai.com/docs/guides/realtime
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NotRequired, TypeAlias, TypeVar

from pydantic import BaseModel
from typing_extensions import TypedDict

from ...._engine.clients import default_client
from ...._engine.extras import require_package
from ....core.base.tool import provider_tool_type
from ....errors import MissingExtraError
from ._audio import segment_class
from ._run import Run
from ._session import NotSet as NotSet
from ._session import session_of
from .tool import OpenAIRealtimeTool

# Any in this module: the values of the program's own functions, and JSON.
Context: TypeAlias = dict[str, Any]
"""The values that the functions of an application share."""

ChunkResponseType: TypeAlias = Literal["text_chunk", "audio_chunk", "audio_transcript_chunk", "tool_chunk"]
TextResponseType: TypeAlias = Literal["text", "audio_transcript"]
AudioResponseType: TypeAlias = Literal["audio"]
ResponseType: TypeAlias = ChunkResponseType | TextResponseType | AudioResponseType
ToolType: TypeAlias = type[OpenAIRealtimeTool]

_Tools: TypeAlias = Sequence[type[BaseModel] | Callable[..., Any]]
_FunctionT = TypeVar("_FunctionT", bound=Callable[..., Any])
_RESPONSE_TYPES = (
    "text_chunk",
    "audio_chunk",
    "audio_transcript_chunk",
    "tool_chunk",
    "text",
    "audio_transcript",
    "audio",
)


class RawMessage(TypedDict):
    """An event of the server as JSON."""

    event_id: str
    type: str
    item: NotRequired[dict[str, Any]]
    delta: NotRequired[str]
    response_id: NotRequired[str]
    tool_name: NotRequired[str]
    response: NotRequired[dict[str, Any]]
    name: NotRequired[str]
    call_id: NotRequired[str]


class Sender(TypedDict):
    """A function that sends messages, with its options."""

    func: Callable[..., Any]
    wait_for_text_response: bool
    wait_for_audio_transcript_response: bool
    tools: list[ToolType]


class FunctionCallHandler(TypedDict):
    """A function that answers calls of a tool."""

    tool_name: str
    func: Callable[..., Any]


class Realtime:
    """A conversation with a realtime model.

    Senders, receivers and handlers of tools are registered with decorators; `run` connects and calls them.

    Args:
        model: The model, such as `"gpt-realtime"`.
        context: The values that the functions share.
        modalities: `["text"]`, or `["audio"]` with transcripts. v1's `["text", "audio"]` means audio.
        instructions: The system prompt.
        voice: The voice of the model.
        turn_detection: When the server ends the user's turn; None turns the detection off.
        input_audio_format: `"pcm16"`, `"g711_ulaw"` or `"g711_alaw"`.
        output_audio_format: The same for the model's audio.
        input_audio_transcription: The model that transcribes the user's audio, or its options.
        tool_choice: Whether the model must call a tool.
        temperature: Not sent, because the API no longer has it.
        max_response_output_tokens: The limit of a response.
        tools: The tools of the session: functions, models or tool classes.
        client: The SDK's async client; by default one that is created once and reused.

    Example:
        ```python
        app = Realtime("gpt-realtime", modalities=["text"])


        @app.sender(wait_for_text_response=True)
        async def send_message(context: Context) -> str:
            return await async_input("Message: ")


        @app.receiver("text")
        async def receive_text(response: str, context: Context) -> None:
            print(response)


        asyncio.run(app.run())
        ```
    """

    def __init__(
        self,
        model: str,
        *,
        context: Context | None = None,
        modalities: list[str] | Any = NotSet,
        instructions: str | Any = NotSet,
        voice: str | Any = NotSet,
        turn_detection: dict[str, Any] | Any | None = NotSet,
        input_audio_format: str | Any = NotSet,
        output_audio_format: str | Any = NotSet,
        input_audio_transcription: str | dict[str, Any] | Any | None = NotSet,
        tool_choice: str | Any = NotSet,
        temperature: float | Any = NotSet,
        max_response_output_tokens: int | float | Literal["inf"] | Any = NotSet,
        tools: list[type[BaseModel] | Callable[..., Any]] | Any = NotSet,
        client: Any = None,
    ) -> None:
        self.model = model
        self.context: Context = {} if context is None else context
        self._session = session_of(
            {
                "modalities": modalities,
                "instructions": instructions,
                "voice": voice,
                "turn_detection": turn_detection,
                "input_audio_format": input_audio_format,
                "output_audio_format": output_audio_format,
                "input_audio_transcription": input_audio_transcription,
                "tool_choice": tool_choice,
                "temperature": temperature,
                "max_response_output_tokens": max_response_output_tokens,
            }
        )
        self._tools = [] if tools is NotSet else tool_types(tools)
        self._client = client
        self._senders: list[Sender] = []
        self._receivers: dict[str, list[Callable[..., Any]]] = {}
        self._handlers: dict[str, tuple[ToolType, Callable[..., Any]]] = {}
        self._running = False

    def sender(
        self,
        wait_for_text_response: bool = False,
        wait_for_audio_transcript_response: bool = False,
        tools: list[type[BaseModel] | Callable[..., Any]] | None = None,
    ) -> Callable[[_FunctionT], _FunctionT]:
        """Return a decorator for a function that sends messages.

        A function that returns an awaitable is called again and again, until it returns None. An async generator runs
        once; its items are sent, and then one response is requested. A message is a text or an audio file (`bytes` or
        `BytesIO`), or a tuple of a message and the tools for its response. Audio of a generator is appended to the
        input buffer.

        Args:
            wait_for_text_response: Whether to wait for the text of the response before the next call.
            wait_for_audio_transcript_response: Whether to wait for the transcript of the response.
            tools: The tools for the responses to these messages, in place of those of the session.
        """

        def decorate(fn: _FunctionT) -> _FunctionT:
            self._senders.append(
                Sender(
                    func=fn,
                    wait_for_text_response=wait_for_text_response,
                    wait_for_audio_transcript_response=wait_for_audio_transcript_response,
                    tools=tool_types(tools or ()),
                )
            )
            return fn

        return decorate

    def receiver(self, response_type: ResponseType) -> Callable[[_FunctionT], _FunctionT]:
        """Return a decorator for a function of a part of a response and the context.

        Args:
            response_type: The part. `"text"` and `"audio_transcript"` are texts, and `"audio"` is a
                `pydub.AudioSegment`, when complete. The types with `_chunk` are events of the server as dicts, whose
                `delta` is the addition.

        Raises:
            ValueError: There is no such type.
            ferroscope.errors.MissingExtraError: The type is audio, and pydub is not installed.
        """
        if response_type not in _RESPONSE_TYPES:
            raise ValueError(
                f"a response type is one of {', '.join(map(repr, _RESPONSE_TYPES))}, not {response_type!r}"
            )
        if response_type == "audio":
            segment_class()

        def decorate(fn: _FunctionT) -> _FunctionT:
            self._receivers.setdefault(response_type, []).append(fn)
            return fn

        return decorate

    def function_call(self, tool: type[BaseModel] | Callable[..., Any]) -> Callable[[_FunctionT], _FunctionT]:
        """Return a decorator for a function of a called tool and the context. The model receives its result, a text.

        The session offers the tool, unless a sender does.

        Args:
            tool: The tool.
        """
        (tool_type,) = tool_types((tool,))

        def decorate(fn: _FunctionT) -> _FunctionT:
            self._handlers[tool_type._name()] = tool_type, fn
            return fn

        return decorate

    async def run(self) -> None:
        """Connect, and call the functions until all senders have ended or the server closes the connection.

        Without senders, only the server ends the conversation.

        Raises:
            RuntimeError: The application is running already.
            ferroscope.errors.APIError: The server reported an error, or a response failed.
            ferroscope.errors.MissingExtraError: The SDK, or its version with the realtime API, is not installed.
        """
        if self._running:
            raise RuntimeError("Already running")
        self._running = True
        try:
            async with self._connect() as connection:
                await Run(self, connection).serve()
        finally:
            self._running = False

    def is_running(self) -> bool:
        """Return whether `run` is in progress."""
        return self._running

    def _connect(self) -> Any:
        require_package("openai", extra="realtime", user="`ferroscope.beta.openai`")
        require_package("websockets", extra="realtime", user="`ferroscope.beta.openai`")
        client = self._client
        if client is None:
            from ....core.openai._provider import OPENAI

            client = default_client(OPENAI.clients, asynchronous=True)
        resource: Any = getattr(client, "realtime", None)
        if resource is None:
            raise MissingExtraError(
                "this version of the package 'openai' has only the beta of the realtime API, which OpenAI has shut "
                "down: install a newer one with `pip install 'ferroscope[realtime]'`",
                name="openai",
            )
        return resource.connect(model=self.model)

    def session(self) -> dict[str, Any]:
        """Return the configuration of the session, as sent to the server."""
        of_senders = {tool for sender in self._senders for tool in sender["tools"]}
        handled = [tool for tool, _ in self._handlers.values() if tool not in of_senders]
        offered = list(dict.fromkeys([*self._tools, *handled]))
        schemas = [tool.tool_schema() for tool in offered]
        return {**self._session, **({"tools": schemas} if schemas else {})}


def tool_types(tools: _Tools) -> list[ToolType]:
    """Return tools as the tool classes of realtime sessions."""
    base: Any = OpenAIRealtimeTool
    return [provider_tool_type(tool, base) for tool in tools]
