"""Tools that run Python code and shell commands in a Docker container."""

from __future__ import annotations

import io
import tarfile
import threading
import uuid
from abc import ABC
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, cast

from pydantic import BaseModel, Field, PrivateAttr

from ..._engine.extras import require_package
from ..._lazy import load_name
from ...core.base.tool import BaseTool
from ...core.base.toolkit import toolkit_tool
from ...errors import MissingExtraError
from ..base import ConfigurableTool, ConfigurableToolKit, _ConfigurableToolConfig

__all__ = ["DockerContainer", "DockerOperation", "DockerOperationToolKit", "DockerOperationToolKitConfig"]

# The status of the command `timeout` after it killed a command with SIGKILL.
_KILLED: Final = 137


class DockerOperationToolKitConfig(_ConfigurableToolConfig):
    """The limits of the container."""

    docker_image: str = Field(default="python:3.13-slim", description="The image, with `python`, `sh` and `timeout`")
    max_memory: str = Field(default="512m", description="Maximum memory of the container")
    allow_network: bool = Field(
        default=False,
        description="Whether code can use the network, including private hosts that the container reaches",
    )
    timeout: float = Field(default=30, gt=0, description="Limit of one command in seconds")
    max_output_bytes: int = Field(default=1024 * 1024, gt=0, description="Maximum size of a command's output in bytes")
    max_processes: int = Field(default=128, gt=0, description="Maximum number of processes in the container")


class _Response(Protocol):
    def close(self) -> None: ...


class _Stream(Protocol):
    """The output of a command."""

    _response: _Response

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class _Api(Protocol):
    """The part of docker's low-level client that the tools use."""

    def exec_create(self, container: str, cmd: Sequence[str]) -> dict[str, str]: ...
    def exec_start(self, exec_id: str, *, stream: bool) -> _Stream: ...
    def exec_inspect(self, exec_id: str) -> dict[str, Any]: ...  # Any: values of JSON
    def close(self) -> None: ...


class _Client(Protocol):
    api: _Api


class _Container(Protocol):
    """The part of docker's `Container` that the tools use; the package has no types."""

    id: str
    client: _Client

    def put_archive(self, path: str, data: io.BytesIO) -> bool: ...
    def remove(self, *, force: bool) -> None: ...


class DockerContainer(BaseModel):
    """A container that starts on first use, and is removed with this object.

    Attributes:
        config: The limits of the container.
    """

    config: DockerOperationToolKitConfig = DockerOperationToolKitConfig()
    _container: _Container | None = PrivateAttr(default=None)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def container(self) -> _Container:
        """The running container.

        Raises:
            ferroscope.errors.MissingExtraError: The package `docker` is not installed.
            docker.errors.DockerException: The Docker daemon failed.
        """
        with self._lock:
            if self._container is None:
                self._container = self._start()
            return self._container

    def _start(self) -> _Container:
        require_package("docker", extra="docker", user="DockerOperationToolKit")
        # A margin, so that the command in the container is the first to time out.
        client = load_name("docker:from_env")(timeout=ceil(self.config.timeout) + 5)
        try:
            container = client.containers.run(
                self.config.docker_image,
                ["tail", "-f", "/dev/null"],  # keeps the container running
                detach=True,
                remove=True,
                init=True,
                mem_limit=self.config.max_memory,
                memswap_limit=self.config.max_memory,
                pids_limit=self.config.max_processes,
                network_disabled=not self.config.allow_network,
                security_opt=["no-new-privileges"],
                cap_drop=["ALL"],
            )
        except BaseException:
            client.close()
            raise
        return cast("_Container", container)

    def close(self) -> None:
        """Remove the container with all its processes. The next use starts a new one."""
        with self._lock:
            container, self._container = self._container, None
        if container is not None:
            with suppress(Exception):
                container.remove(force=True)
            with suppress(Exception):
                container.client.api.close()

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()


class _CommandError(Exception):
    """A command that exceeded a limit; its text is the output of the tool."""

    def __init__(self, reason: str, output: bytearray) -> None:
        super().__init__(f"Error: {reason}. Output:\n{output.decode('utf-8', 'replace')}")


class DockerOperation(ConfigurableTool[DockerOperationToolKitConfig], ABC):
    """The base class of the Docker tools."""

    __configurable_tool_config__ = DockerOperationToolKitConfig()

    if TYPE_CHECKING:
        docker_container: DockerContainer  # an attribute of the toolkit

    def _put_files(self, files: dict[str, str]) -> str:
        """Write files to a new directory of the container, and return its path."""
        directory = f"ferroscope-{uuid.uuid4().hex}"
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, content in files.items():
                data = content.encode("utf-8")
                info = tarfile.TarInfo(f"{directory}/{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        archive.seek(0)
        self.docker_container.container.put_archive("/", archive)
        return f"/{directory}"

    def _run(self, command: Sequence[str]) -> tuple[int, str]:
        """Run a command, and return its exit status and output.

        Raises:
            _CommandError: It exceeded the time or the size of its output. The container has been removed.
        """
        config = self._get_config()
        container = self.docker_container.container
        api = container.client.api
        # A fractional number of seconds is not portable: busybox accepts whole ones only.
        seconds = ceil(config.timeout)
        exec_id = api.exec_create(container.id, ["timeout", "-s", "KILL", str(seconds), *command])["Id"]
        stream = api.exec_start(exec_id, stream=True)
        late = threading.Event()

        def end() -> None:
            late.set()
            self.docker_container.close()
            with suppress(Exception):
                stream.close()

        # Processes in the background keep the output open after `timeout` has ended, and docker reads it without a
        # timeout.
        timer = threading.Timer(seconds + 1, end)
        timer.daemon = True
        timer.start()
        try:
            output = bytearray()
            for piece in stream:
                output += piece
                if len(output) > config.max_output_bytes:
                    self.docker_container.close()
                    output = output[: config.max_output_bytes]
                    raise _CommandError(f"The output is larger than {config.max_output_bytes} bytes", output)
            status = None if late.is_set() else api.exec_inspect(exec_id)["ExitCode"]
        finally:
            timer.cancel()
            with suppress(Exception):
                stream.close()
            with suppress(Exception):  # the stream shuts its connection down, and leaves it open
                stream._response.close()
        if late.is_set() or status is None:
            self.docker_container.close()
            raise _CommandError(f"The command was still running after {seconds} seconds", output)
        if status == _KILLED:
            self.docker_container.close()
            raise _CommandError(f"The command was killed, after {seconds} seconds or for its use of memory", output)
        return int(status), output.decode("utf-8", "replace")


class DockerOperationToolKit(ConfigurableToolKit[DockerOperationToolKitConfig]):
    """Tools that run Python code and shell commands in one Docker container.

    Attributes:
        config: The limits of the container.
        docker_container: The container; by default a new one with this configuration.
    """

    __namespace__ = "docker"
    __prompt_usage_description__: ClassVar[str] = """
    - Tools for code execution:
        - ExecutePython: Executes Python code with optional requirements in a Docker container
        - ExecuteShell: Executes shell commands in a Docker container
    """

    config: DockerOperationToolKitConfig = DockerOperationToolKitConfig()
    docker_container: DockerContainer = Field(default_factory=DockerContainer)

    def model_post_init(self, context: Any, /) -> None:  # Any: pydantic's own type
        """Use this configuration for a container that was not passed."""
        super().model_post_init(context)
        if "docker_container" not in self.model_fields_set:
            self.docker_container.config = self.config

    def create_tools(self) -> list[type[BaseTool]]:
        """Return the tools of this toolkit, which share its container."""
        return super().create_tools()

    @toolkit_tool
    class ExecutePython(DockerOperation):
        """Execute Python code in a Docker container and return its output.

        The container is based on the image {self.config.docker_image}. Network access: {self.config.allow_network}.
        """

        code: str = Field(..., description="The Python code")
        requirements: list[str] | None = Field(default=None, description="Packages to install with pip before")

        def call(self) -> str:
            """Return the output of the code, or an error message.

            Raises:
                ferroscope.errors.MissingExtraError: The package `docker` is not installed.
            """
            try:
                files = {"main.py": self.code}
                if self.requirements:
                    if not self._get_config().allow_network:
                        return "Error: Network access is disabled. Cannot install requirements via pip."
                    files["requirements.txt"] = "\n".join(self.requirements)
                directory = self._put_files(files)
                if self.requirements:
                    status, output = self._run(["pip", "install", "-r", f"{directory}/requirements.txt"])
                    if status != 0:
                        return f"Error installing requirements: {output}"
                return self._run(["python", f"{directory}/main.py"])[1]
            except _CommandError as error:
                return str(error)
            except MissingExtraError:
                raise
            except Exception as error:  # a tool returns its failures
                return f"Error executing code: {error}"

    @toolkit_tool
    class ExecuteShell(DockerOperation):
        """Execute a shell command in a Docker container and return its output.

        The container is based on the image {self.config.docker_image}. Network access: {self.config.allow_network}.
        """

        command: str = Field(..., description="The shell command")

        def call(self) -> str:
            """Return the output of the command, or an error message.

            Raises:
                ferroscope.errors.MissingExtraError: The package `docker` is not installed.
            """
            try:
                return self._run(["sh", "-c", self.command])[1]
            except _CommandError as error:
                return str(error)
            except MissingExtraError:
                raise
            except Exception as error:  # a tool returns its failures
                return f"Error executing command: {error}"
