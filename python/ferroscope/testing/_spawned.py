"""The provider server in a process of its own, controlled over a pipe. Its CPU time is not the caller's."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any, Self

from ferroscope.testing._ledger import Scripted, Seen, Until
from ferroscope.testing._server import Controls, ProviderServer
from ferroscope.testing._wires import ChatServer

__all__ = ["SpawnedServer", "serve_pipe"]


class SpawnedServer(Controls):
    """A `ProviderServer` in another process, with the same arguments and methods.

        >>> from ferroscope.testing import Answer, SpawnedServer, Text
        >>> with SpawnedServer(default=Answer(Text("word " * 2000, chunks=2000))) as server:
        ...     url = server.base_url("openai")

    Answers are sent to it as pickles, so a function among them must be importable.
    """

    def __init__(
        self,
        *answers: Scripted,
        default: Scripted | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        servers: Sequence[ChatServer] = (),
        certificate: str | os.PathLike[str] | None = None,
    ) -> None:
        self._pipe = _Pipe()
        super().__init__(self._pipe, servers)
        self._arguments = (answers, default, host, port, tuple(servers), certificate)

    def start(self) -> Self:
        """Start the process, and return when connections are accepted."""
        if self._url is not None:
            raise RuntimeError("the server is running already")
        self._url = self._pipe.open(self._arguments)
        return self

    def stop(self) -> None:
        """End the process and all its connections."""
        self._url = None
        self._pipe.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Pipe:
    """The state of a server in another process. Each call sends one message and receives one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def open(self, arguments: tuple[Any, ...]) -> str:
        # Give the child the import path of this process.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ferroscope.testing", "--pipe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        try:
            url: str = self._ask("start", *arguments)
        except BaseException:
            self.close()
            raise
        return url

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.communicate()  # closing its input ends the child

    def queue(self, answers: Sequence[Scripted]) -> None:
        self._ask("queue", tuple(answers))

    def set_default(self, answer: Scripted | None) -> None:
        self._ask("set_default", answer)

    def forget(self) -> None:
        self._ask("forget")

    def seen(self) -> Seen:
        found: Seen = self._ask("seen")
        return found

    def wait(self, until: Until, count: int, timeout: float) -> None:
        self._ask("wait", until, count, timeout)

    def _ask(self, name: str, *arguments: Any) -> Any:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the server is not running: use it in a `with` block")
        question = pickle.dumps((name, arguments))
        with self._lock:
            process.stdin.write(question)
            process.stdin.flush()
            try:
                result, error = pickle.load(process.stdout)
            except EOFError:
                raise RuntimeError(f"the server process ended with code {process.wait()}") from None
        if error is not None:
            raise error
        return result


def serve_pipe(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Run a server for the process at the other end of the pipe, until that process closes it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the pipe
    server: ProviderServer | None = None
    try:
        while True:
            result: object = None
            error: Exception | None = None
            try:
                name, arguments = pickle.load(questions)
                if name == "start":
                    scripted, default, host, port, servers, certificate = arguments
                    server = ProviderServer(
                        *scripted, default=default, host=host, port=port, servers=servers, certificate=certificate
                    ).start()
                    result = server.url
                elif server is not None:
                    result = getattr(server.memory, name)(*arguments)
            except EOFError:
                return
            except Exception as failure:  # raised again at the other end
                error = failure
            pickle.dump((result, error), answers)
            answers.flush()
    finally:
        if server is not None:
            server.stop()
