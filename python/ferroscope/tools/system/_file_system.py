"""Tools for the files below one directory."""

from __future__ import annotations

import os
import stat
from abc import ABC
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import Field, field_validator

from ...core.base.toolkit import toolkit_tool
from ..base import ConfigurableTool, ConfigurableToolKit, _ConfigurableToolConfig

__all__ = ["FileOperation", "FileSystemToolKit", "FileSystemToolKitConfig"]

# A path is resolved before it is checked. If its last part has become a symbolic link since, opening it fails. A named
# pipe without a writer does not block.
_SAFE_OPEN: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class FileSystemToolKitConfig(_ConfigurableToolConfig):
    """The limits of the file tools."""

    max_file_size: int = Field(default=10 * 1024 * 1024, description="Maximum size of a file in bytes")
    allowed_extensions: list[str] = Field(
        default=["txt", "md", "csv", "json", "yml", "yaml", "html"], description="The allowed file extensions"
    )
    max_entries: int = Field(default=1000, gt=0, description="Maximum number of listed entries of a directory")


class _PathError(Exception):
    """A path that the tools may not use; its text is the output of the tool."""


class FileOperation(ConfigurableTool[FileSystemToolKitConfig], ABC):
    """The base class of the file tools."""

    __configurable_tool_config__ = FileSystemToolKitConfig()

    if TYPE_CHECKING:
        base_directory: Path  # an attribute of the toolkit

    def _resolve(self, path: str) -> Path:
        """Return the real path, which is below the base directory.

        Raises:
            _PathError: It is not below the base directory, or is not a valid path.
        """
        root = self.base_directory.resolve()
        try:
            real = (root / path).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a null byte, or a loop of links
            raise _PathError(f"Error: Invalid path ({error})") from error
        if not real.is_relative_to(root):
            raise _PathError("Error: Invalid path (attempted path traversal)")
        return real

    def _resolve_file(self, path: str) -> Path:
        """Return the real path of a file with an allowed extension.

        Raises:
            _PathError: See `_resolve`, or the extension is not allowed.
        """
        real = self._resolve(path)
        allowed = self._get_config().allowed_extensions
        # Both names: a link with an allowed extension may refer to any file.
        if any(name.suffix.lstrip(".") not in allowed for name in (Path(path), real)):
            raise _PathError(f"Error: Invalid file extension. Allowed: {allowed}")
        return real

    def _open(self, real: Path, flags: int) -> int:
        """Return a descriptor of a regular file.

        Raises:
            _PathError: It is not a regular file.
            OSError: It cannot be opened.
        """
        descriptor = os.open(real, flags | _SAFE_OPEN, 0o666)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _PathError(f"Error: {real.name} is not a file")
        return descriptor


class FileSystemToolKit(ConfigurableToolKit[FileSystemToolKitConfig]):
    """Tools that read, write, list, create and delete files and directories below a base directory.

    Attributes:
        config: The limits of the tools.
        base_directory: An existing directory; by default the current one.
    """

    __configurable_tool_config__ = FileSystemToolKitConfig()
    __namespace__ = "file_system"
    __prompt_usage_description__: ClassVar[str] = """
    - Tools for file system operations:
        - ReadFile: Reads content from a file
        - WriteFile: Writes content to a file
        - ListDirectory: Lists directory contents
        - CreateDirectory: Creates a new directory
        - DeleteFile: Deletes a file
    """

    config: FileSystemToolKitConfig = FileSystemToolKitConfig()
    base_directory: Path = Field(default_factory=Path.cwd, description="The directory of all files")

    @field_validator("base_directory")
    @classmethod
    def validate_base_directory(cls, v: Path) -> Path:
        """Check that the base directory exists.

        Raises:
            ValueError: It does not exist, or is not a directory.
        """
        if not v.exists():
            raise ValueError(f"Base directory {v} does not exist")
        if not v.is_dir():
            raise ValueError(f"{v} is not a directory")
        return v

    @toolkit_tool
    class ReadFile(FileOperation):
        """Read the content of a file."""

        path: str = Field(..., description="The path of the file, relative to the base directory")

        def call(self) -> str:
            """Return the content of the file, or an error message."""
            limit = self._get_config().max_file_size
            try:
                real = self._resolve_file(self.path)
                if not real.is_file():
                    return f"Error: File {self.path} not found"
                with open(self._open(real, os.O_RDONLY), "rb") as file:
                    # The size is counted instead of looked up, because the file may grow.
                    content = file.read(limit + 1)
                if len(content) > limit:
                    return f"Error: File exceeds maximum size of {limit} bytes"
                return content.decode("utf-8")
            except _PathError as error:
                return str(error)
            except (OSError, UnicodeError) as error:
                return f"Error reading file: {_reason(error)}"

    @toolkit_tool
    class WriteFile(FileOperation):
        """Write content to a file, and create its directories. An existing file is replaced."""

        path: str = Field(..., description="The path of the file, relative to the base directory")
        content: str = Field(..., description="The new content of the file")

        def call(self) -> str:
            """Write the file and return a confirmation, or an error message."""
            limit = self._get_config().max_file_size
            try:
                real = self._resolve_file(self.path)
                content = self.content.encode("utf-8")
                if len(content) > limit:
                    return f"Error: Content exceeds maximum size of {limit} bytes"
                real.parent.mkdir(parents=True, exist_ok=True)
                with open(self._open(real, os.O_WRONLY | os.O_CREAT), "wb") as file:
                    file.truncate()
                    file.write(content)
                return f"Successfully wrote to {self.path}"
            except _PathError as error:
                return str(error)
            except (OSError, UnicodeError) as error:
                return f"Error writing file: {_reason(error)}"

    @toolkit_tool
    class ListDirectory(FileOperation):
        """List the content of a directory."""

        path: str = Field(default="", description="The path of the directory; empty for the base directory")

        def call(self) -> str:
            """Return one line per entry, or an error message."""
            limit = self._get_config().max_entries
            try:
                real = self._resolve(self.path)
                if not real.is_dir():
                    return f"Error: Directory {self.path} not found"
                lines: list[str] = []
                with os.scandir(real) as entries:
                    for entry in entries:
                        if len(lines) > limit:
                            break
                        lines.append(_line(entry))
                more = [f"(more than {limit} entries; the rest is not listed)"] if len(lines) > limit else []
                return "\n".join([f"Contents of {self.path or '.'} :", *sorted(lines[:limit]), *more, ""])
            except _PathError as error:
                return str(error)
            except OSError as error:
                return f"Error listing directory: {_reason(error)}"

    @toolkit_tool
    class CreateDirectory(FileOperation):
        """Create a directory, and its parent directories."""

        path: str = Field(..., description="The path of the directory, relative to the base directory")

        def call(self) -> str:
            """Create the directory and return a confirmation, or an error message."""
            try:
                self._resolve(self.path).mkdir(parents=True, exist_ok=True)
                return f"Successfully created directory {self.path}"
            except _PathError as error:
                return str(error)
            except OSError as error:
                return f"Error creating directory: {_reason(error)}"

    @toolkit_tool
    class DeleteFile(FileOperation):
        """Delete a file."""

        path: str = Field(..., description="The path of the file, relative to the base directory")

        def call(self) -> str:
            """Delete the file and return a confirmation, or an error message."""
            try:
                real = self._resolve_file(self.path)
                if not real.exists():
                    return f"Error: File {self.path} not found"
                if not real.is_file():
                    return f"Error: {self.path} is not a file"
                real.unlink()
                return f"Successfully deleted {self.path}"
            except _PathError as error:
                return str(error)
            except OSError as error:
                return f"Error deleting file: {_reason(error)}"


def _line(entry: os.DirEntry[str]) -> str:
    # Links are not followed, because they may refer to files outside the base directory.
    if entry.is_symlink():
        return f"- {entry.name} [link]"
    if entry.is_file():
        return f"- {entry.name} [file] ({entry.stat(follow_symlinks=False).st_size} bytes)"
    return f"- {entry.name} [directory]"


def _reason(error: OSError | UnicodeError) -> str:
    """Return the reason of an error, without the real path of the base directory."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
