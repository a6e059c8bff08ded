"""One run of a realtime application: the loops that send and receive, over the SDK's connection."""

from __future__ import annotations

import asyncio
import base64
import inspect
import io
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from ....core.base.tool import provider_tool_type
from ....errors import APIError
from ._audio import audio_segment, pcm_of
from .tool import OpenAIRealtimeTool

if TYPE_CHECKING:
    from .realtime import Realtime, Sender

# Any in this module: the SDK's events, and the values of the program's own functions.

# By the name of the event in the beta: the receiver's type, and for complete parts the attribute.
_PARTS: Final = {
    "response.text.done": ("text", "text"),
    "response.audio_transcript.done": ("audio_transcript", "transcript"),
}
_CHUNKS: Final = {
    "response.text.delta": "text_chunk",
    "response.audio.delta": "audio_chunk",
    "response.audio_transcript.delta": "audio_transcript_chunk",
    "response.function_call_arguments.delta": "tool_chunk",
}
# The code of the error if turn detection has committed all audio already.
_NOTHING_TO_COMMIT: Final = "input_audio_buffer_commit_empty"


class Run:
    """The loops of one connection.

    Args:
        app: The application.
        connection: The SDK's connection.
    """

    def __init__(self, app: Realtime, connection: Any) -> None:
        self._app = app
        self._connection = connection
        self._idle = asyncio.Event()  # set while no response is in progress
        self._idle.set()
        self._answering: set[asyncio.Task[None]] = set()
        self._waiting: list[tuple[set[str], asyncio.Future[None]]] = []
        self._audio: list[bytes] = []
        self._offered: Sequence[type[OpenAIRealtimeTool]] = ()
        self._commit_result: asyncio.Future[bool] | None = None

    async def serve(self) -> None:
        """Run until the connection is closed, or until the senders have ended and all is answered."""
        await self._connection.session.update(session=self._app.session())
        receiving = asyncio.create_task(self._receive())
        sending = asyncio.create_task(self._send_all())
        try:
            running: set[asyncio.Task[None]] = {receiving, sending}
            while running:
                watched = running | self._answering
                done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                self._answering -= done
                running -= done
                if receiving in done or sending in done:
                    return
        finally:
            tasks = [receiving, sending, *self._answering]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # ---- sending

    async def _send_all(self) -> None:
        tasks = [asyncio.create_task(self._send(sender)) for sender in self._app._senders]
        try:
            await asyncio.gather(*tasks)
            if not tasks:
                await asyncio.Event().wait()  # without senders, the server ends the conversation
            while not self._idle.is_set():
                await self._idle.wait()
        finally:
            for task in tasks:
                task.cancel()

    async def _send(self, sender: Sender) -> None:
        while True:
            sent = sender["func"](self._app.context)
            if inspect.isasyncgen(sent):
                await self._send_items(sent, sender)
                return
            message = await sent if inspect.isawaitable(sent) else sent
            if message is None:
                return
            await self._send_message(message, sender)

    async def _send_items(self, items: Any, sender: Sender) -> None:
        """Send the items of a generator, and request one response to all of them."""
        appended = sent = False
        tools: Sequence[Any] = sender["tools"]
        async for item in items:
            message, tools = _with_tools(item, tools)
            if isinstance(message, bytes | io.BytesIO):
                await self._connection.input_audio_buffer.append(audio=_base64(message))
                appended = True
            else:
                await self._create_item(message, sender)
                sent = True
        if appended and await self._commit():
            sent = True
        if sent:
            await self._respond(tools, _awaited_parts(sender))

    async def _commit(self) -> bool:
        """End the user's turn. Return whether there was audio that turn detection had not committed yet."""
        self._commit_result = asyncio.get_running_loop().create_future()
        await self._connection.input_audio_buffer.commit()
        return await self._commit_result

    async def _send_message(self, message: Any, sender: Sender) -> None:
        message, tools = _with_tools(message, sender["tools"])
        await self._create_item(message, sender)
        await self._respond(tools, _awaited_parts(sender))

    async def _create_item(self, message: Any, sender: Sender) -> None:
        part: dict[str, str]
        if isinstance(message, bytes | io.BytesIO):
            part = {"type": "input_audio", "audio": _base64(message)}
        elif isinstance(message, str):
            part = {"type": "input_text", "text": message}
        else:
            raise TypeError(
                f"a sender returns a text, an audio file or None, and `{sender['func'].__name__}` returned "
                f"{type(message).__name__}"
            )
        item = {"type": "message", "role": "user", "content": [part]}
        await self._connection.conversation.item.create(item=item)

    async def _respond(self, tools: Sequence[type[OpenAIRealtimeTool]], kinds: set[str] | None = None) -> None:
        """Request a response, once no other one is in progress, and wait for one of the kinds of parts."""
        while not self._idle.is_set():
            await self._idle.wait()
        self._idle.clear()
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if kinds:
            self._waiting.append((kinds, answered))
        await self._create(tools)
        if kinds:
            await answered

    async def _create(self, tools: Sequence[type[OpenAIRealtimeTool]]) -> None:
        self._offered = tools
        options = {"response": {"tools": [tool.tool_schema() for tool in tools]}} if tools else {}
        await self._connection.response.create(**options)

    # ---- receiving

    async def _receive(self) -> None:
        async for event in self._connection:
            await self._handle(event)

    async def _handle(self, event: Any) -> None:
        kind = event.type.replace("response.output_", "response.")
        if kind in _PARTS:
            name, attribute = _PARTS[kind]
            await self._pass_on(name, getattr(event, attribute))
        elif kind in _CHUNKS:
            if kind == "response.audio.delta" and "audio" in self._app._receivers:
                self._audio.append(base64.b64decode(event.delta))
            name = _CHUNKS[kind]
            if name in self._app._receivers:
                await self._pass_on(name, event.to_dict(mode="json"))
        elif kind == "response.audio.done":
            pcm, self._audio = b"".join(self._audio), []
            if "audio" in self._app._receivers:
                await self._pass_on("audio", audio_segment(pcm))
        elif kind == "response.created":
            self._idle.clear()
        elif kind == "input_audio_buffer.committed":
            self._end_commit(committed=True)
        elif kind == "response.done":
            self._end(event.response)
        elif kind == "error":
            if event.error.code == _NOTHING_TO_COMMIT and self._end_commit(committed=False):
                return
            raise APIError(f"the realtime API reported: {event.error.message} ({event.error.code or event.error.type})")

    def _end_commit(self, *, committed: bool) -> bool:
        """Set the result of a commit. Return whether one was requested."""
        result, self._commit_result = self._commit_result, None
        if result is None:
            return False
        result.set_result(committed)
        return True

    async def _pass_on(self, name: str, value: Any) -> None:
        for receive in self._app._receivers.get(name, ()):
            await _awaited(receive(value, self._app.context))
        self._wake(lambda kinds: name in kinds)

    def _wake(self, applies: Callable[[set[str]], bool]) -> None:
        for entry in [entry for entry in self._waiting if applies(entry[0])]:
            self._waiting.remove(entry)
            if not entry[1].done():
                entry[1].set_result(None)

    def _end(self, response: Any) -> None:
        """Answer the tool calls of a complete response, or end the turn.

        Raises:
            ferroscope.errors.APIError: The response failed.
        """
        if response.status == "failed":
            details = getattr(response.status_details, "error", None)
            reason = getattr(details, "message", None) or getattr(details, "code", None) or "no reason"
            raise APIError(f"the response of {self._app.model!r} failed: {reason}")
        calls = [item for item in response.output or () if item.type == "function_call"]
        handled = [call for call in calls if call.name in self._app._handlers]
        if handled and response.status == "completed":
            self._answering.add(asyncio.create_task(self._answer(handled)))
        else:
            self._idle.set()
            self._wake(lambda kinds: True)

    async def _answer(self, calls: Sequence[Any]) -> None:
        """Run the handlers of tool calls, send their results, and request the next response."""
        outputs = await asyncio.gather(*(self._output(call) for call in calls))
        for call, output in zip(calls, outputs, strict=True):
            item = {"type": "function_call_output", "call_id": call.call_id, "output": output}
            await self._connection.conversation.item.create(item=item)
        await self._create(self._offered)

    async def _output(self, call: Any) -> str:
        tool_type, handler = self._app._handlers[call.name]
        try:
            tool = tool_type.from_tool_call({"call_id": call.call_id, "arguments": call.arguments})
        except ValueError as error:  # the model can correct its arguments
            return f"Error: {error}"
        return str(await _awaited(handler(tool, self._app.context)))


def _with_tools(message: Any, default: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """Return a message and the tools for its response, which are those of the sender by default."""
    if not isinstance(message, tuple):
        return message, default
    message, offered = message
    base: Any = OpenAIRealtimeTool
    return message, [provider_tool_type(tool, base) for tool in offered]


def _awaited_parts(sender: Sender) -> set[str]:
    waits = {"text": "wait_for_text_response", "audio_transcript": "wait_for_audio_transcript_response"}
    options: Any = sender
    return {part for part, option in waits.items() if options[option]}


async def _awaited(result: Any) -> Any:
    return await result if isinstance(result, Awaitable) else result


def _base64(audio: bytes | io.BytesIO) -> str:
    return base64.b64encode(pcm_of(audio)).decode()
