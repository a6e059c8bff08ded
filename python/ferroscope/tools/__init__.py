"""Ready-made tools: web requests, web search, files, and code in a Docker container.

The model chooses the arguments, so the tools treat them as untrusted input. Failures are returned as text, so that the
model can react to them.
"""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from . import base as base
    from . import system as system
    from . import web as web
    from .system._docker_operation import DockerOperationToolKit, DockerOperationToolKitConfig
    from .system._file_system import FileSystemToolKit, FileSystemToolKitConfig
    from .web._duckduckgo import DuckDuckGoSearch, DuckDuckGoSearchConfig
    from .web._httpx import HTTPX, AsyncHTTPX, HTTPXConfig
    from .web._parse_url_content import ParseURLConfig, ParseURLContent
    from .web._requests import Requests, RequestsConfig

__all__ = [
    "HTTPX",
    "AsyncHTTPX",
    "DockerOperationToolKit",
    "DockerOperationToolKitConfig",
    "DuckDuckGoSearch",
    "DuckDuckGoSearchConfig",
    "FileSystemToolKit",
    "FileSystemToolKitConfig",
    "HTTPXConfig",
    "ParseURLConfig",
    "ParseURLContent",
    "Requests",
    "RequestsConfig",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "HTTPX": ".web._httpx",
        "AsyncHTTPX": ".web._httpx",
        "DockerOperationToolKit": ".system._docker_operation",
        "DockerOperationToolKitConfig": ".system._docker_operation",
        "DuckDuckGoSearch": ".web._duckduckgo",
        "DuckDuckGoSearchConfig": ".web._duckduckgo",
        "FileSystemToolKit": ".system._file_system",
        "FileSystemToolKitConfig": ".system._file_system",
        "HTTPXConfig": ".web._httpx",
        "ParseURLConfig": ".web._parse_url_content",
        "ParseURLContent": ".web._parse_url_content",
        "Requests": ".web._requests",
        "RequestsConfig": ".web._requests",
        "base": None,
        "system": None,
        "web": None,
    },
)
