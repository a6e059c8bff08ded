"""The connection to a server: a session that one task opens, owns and closes, and that is reopened when it is lost.

Sessions of mcp have cancel scopes, which must be entered and left in the same task. Requests may come from any task of
the same event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol, TypeVar, cast

import anyio

from ._sdk import ClientSession, is_connection_closed, is_session_terminated
from .errors import MCPConnectionError

_ResultT = TypeVar("_ResultT")
_CLOSE_SECONDS: Final = 5.0

# Any: the transport's streams, of types that differ between the majors; mcp 1 adds a third value.
OpenStreams = Callable[[Callable[[], None]], AbstractAsyncContextManager[tuple[Any, ...]]]
"""Open a transport. Its argument is called when the transport notices that the connection is lost."""


class Sessions(Protocol):
    """The source of the session for each request."""

    @property
    def server(self) -> str:
        """The server, for errors."""
        ...

    @property
    def session(self) -> ClientSession:
        """The current session."""
        ...

    async def request(
        self, send: Callable[[ClientSession], Awaitable[_ResultT]], *, what: str, repeatable: bool
    ) -> _ResultT:
        """Send a request in the session and return its result."""
        ...


class GivenSession:
    """A session that the program opened and closes itself."""

    server = "the session's server"

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def request(
        self, send: Callable[[ClientSession], Awaitable[_ResultT]], *, what: str, repeatable: bool
    ) -> _ResultT:
        """Send a request in the session and return its result."""
        return await send(self.session)


class Connection:
    """A connection to a server.

    Args:
        server: The server, for errors.
        open_streams: Open the transport, see `OpenStreams`.
        session_options: Arguments of the SDK's session.
        on_stream_error: Called with each error that the transport reports in its stream of messages.
    """

    def __init__(
        self,
        server: str,
        open_streams: OpenStreams,
        session_options: dict[str, Any],  # Any: each has its own type
        on_stream_error: Callable[[Exception], None] | None = None,
    ) -> None:
        self.server = server
        self._open_streams = open_streams
        self._session_options = session_options
        self._on_stream_error = on_stream_error
        self._owner: _Owner | None = None
        self._retired: list[_Owner] = []
        self._reopening = asyncio.Lock()
        self._closed = False

    @property
    def session(self) -> ClientSession:
        """The current session."""
        if self._owner is None:
            raise self._closed_error()
        return self._owner.session

    async def open(self) -> None:
        """Connect to the server.

        Raises:
            MCPConnectionError: The server is unreachable, or refuses the session.
        """
        await self._live_owner()

    async def aclose(self) -> None:
        """Close the session and its transport, from any task of the loop."""
        self._closed = True
        owner, self._owner = self._owner, None
        for one in (*self._retired, *([owner] if owner is not None else [])):
            await one.aclose()

    async def request(
        self, send: Callable[[ClientSession], Awaitable[_ResultT]], *, what: str, repeatable: bool
    ) -> _ResultT:
        """Send a request in the session and return its result. A lost session is reopened.

        A request that the server refused because it forgot the session is sent again, once. A request whose connection
        broke is sent again, once, only if it is repeatable.

        Args:
            send: Send the request in a session.
            what: The request, for errors.
            repeatable: Whether a repeated request has no further effect.

        Raises:
            MCPConnectionError: The server is unreachable, or the connection broke.
            RuntimeError: The connection belongs to another event loop.
        """
        owner = await self._live_owner()
        try:
            return await owner.run(send)
        except _SessionTerminatedError:
            pass
        except _ConnectionLostError as error:
            if not repeatable:
                raise MCPConnectionError(
                    f"{self.server}: the connection broke before the response to {what} arrived. It is unknown whether "
                    "it ran, so it was not sent again; the next request opens a new session",
                    server=self.server,
                    may_have_run=True,
                ) from error.__cause__
        owner = await self._live_owner(lost=owner)
        try:
            return await owner.run(send)
        except (_SessionTerminatedError, _ConnectionLostError) as error:
            raise MCPConnectionError(
                f"{self.server}: the connection broke again during {what}, in a new session",
                server=self.server,
                may_have_run=isinstance(error, _ConnectionLostError),
            ) from error.__cause__

    async def _live_owner(self, lost: _Owner | None = None) -> _Owner:
        """Return the owner of a usable session; all waiters share one new session."""
        owner = self._owner
        if owner is not None and owner is not lost and not owner.ended:
            return owner
        async with self._reopening:
            if self._closed:
                raise self._closed_error()
            owner = self._owner
            if owner is not None and owner is not lost and not owner.ended:
                return owner
            self._owner = None
            self._retired = [one for one in self._retired if not one.closed]
            if owner is not None:
                # Its other requests may still be answered.
                owner.retire()
                self._retired.append(owner)
            opened = _Owner(self._open_streams, self._session_options, self._on_stream_error)
            try:
                await opened.start()
            except Exception as error:
                raise MCPConnectionError(
                    f"{self.server}: cannot open a session: {_reason(error)}", server=self.server, may_have_run=False
                ) from error
            if self._closed:
                await opened.aclose()
                raise self._closed_error()
            self._owner = opened
            return opened

    def _closed_error(self) -> MCPConnectionError:
        return MCPConnectionError(
            f"{self.server}: the client is closed; use it inside its `with` block",
            server=self.server,
            may_have_run=False,
        )


class _SessionTerminatedError(Exception):
    """The server does not know the session; the request did not run."""


class _ConnectionLostError(Exception):
    """The connection broke before the response arrived; the request may have run."""


class _Owner:
    """The task that opens, keeps and closes one session."""

    def __init__(
        self,
        open_streams: OpenStreams,
        session_options: dict[str, Any],  # Any: each has its own type
        on_stream_error: Callable[[Exception], None] | None,
    ) -> None:
        self._open_streams = open_streams
        self._session_options = session_options
        self._on_stream_error = on_stream_error
        self._closing = asyncio.Event()
        self._opened: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._lost = False
        self._retired = False
        self._running = 0
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def session(self) -> ClientSession:
        """The open session."""
        return self._opened.result()

    @property
    def ended(self) -> bool:
        """Whether the session is lost or closed."""
        return self._lost or self._retired or self._closing.is_set() or self.closed

    @property
    def closed(self) -> bool:
        """Whether the task has ended."""
        return self._task is None or self._task.done()

    async def start(self) -> None:
        """Open the session."""
        self._task = asyncio.create_task(self._own(), name="ferroscope.mcp session")
        try:
            await asyncio.shield(self._opened)
        except BaseException:
            await self.aclose()
            raise

    def retire(self) -> None:
        """Accept no new requests, and close the session after the last response."""
        self._retired = True
        if not self._running:
            self._closing.set()

    async def aclose(self) -> None:
        """Close the session, and wait until its transport is closed."""
        self._closing.set()
        task = self._task
        if task is None:
            return
        if not self._opened.done():
            task.cancel()
        _, waiting = await asyncio.wait({task}, timeout=_CLOSE_SECONDS)
        if waiting:
            # Streamable HTTP waits for the server to confirm the end of the session.
            task.cancel()
            await asyncio.wait({task})

    async def run(self, send: Callable[[ClientSession], Awaitable[_ResultT]]) -> _ResultT:
        """Send a request; the end of the session ends the request too."""
        owner = cast("asyncio.Task[None]", self._task)
        if owner.get_loop() is not asyncio.get_running_loop():
            raise RuntimeError("this client was opened in another event loop: open one in each loop, or use `with`")
        request = asyncio.ensure_future(send(self.session))
        self._running += 1
        try:
            await asyncio.wait({request, owner}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            unfinished = not request.done()
            if unfinished:
                request.cancel()
            self._running -= 1
            if self._retired and not self._running:
                self._closing.set()
        if unfinished:
            await asyncio.wait({request})
            raise _ConnectionLostError from self._failure
        try:
            return request.result()
        except Exception as error:
            if is_session_terminated(error):
                self.retire()
                raise _SessionTerminatedError from error
            if self._lost or is_connection_closed(error):
                self._lost = True
                raise _ConnectionLostError from error
            raise

    async def _own(self) -> None:
        try:
            async with self._open_streams(self._lose) as streams, anyio.create_task_group() as tasks:
                messages, read = anyio.create_memory_object_stream[Any](0)
                tasks.start_soon(self._forward, streams[0], messages)
                async with ClientSession(read, streams[1], **self._session_options) as session:
                    await session.initialize()
                    self._opened.set_result(session)
                    await self._closing.wait()
                tasks.cancel_scope.cancel()
        except BaseException as error:
            self._lost = True
            self._failure = error
            if not self._opened.done():
                self._opened.set_exception(_cause(error))
                # The opener may be cancelled, so that nothing reads the exception.
                self._opened.exception()
            if not isinstance(error, Exception):
                raise

    async def _forward(self, source: Any, messages: Any) -> None:  # Any: streams of the SDK
        """Pass the messages of the transport on to the session, and notice the end of the transport."""
        async with source, messages:
            try:
                async for message in source:
                    if isinstance(message, Exception) and self._on_stream_error is not None:
                        self._on_stream_error(message)
                    else:
                        await messages.send(message)
            except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                pass
            finally:
                self._lost = True
        if self._opened.done():
            self._closing.set()

    def _lose(self) -> None:
        self._lost = True
        self._closing.set()


def _cause(error: BaseException) -> BaseException:
    """Return the first exception in a group that is not a cancellation, for a clear error."""
    while isinstance(error, BaseExceptionGroup):
        error = next(
            (one for one in error.exceptions if not isinstance(one, asyncio.CancelledError)), error.exceptions[0]
        )
    return error if isinstance(error, Exception) else ConnectionError("the transport closed")


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
