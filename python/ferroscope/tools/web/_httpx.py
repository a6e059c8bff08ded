"""Tools for HTTP requests with all options, sync and async."""

from __future__ import annotations

import asyncio
from abc import ABC
from typing import Any, ClassVar, Literal

from pydantic import Field

from ..base import ConfigurableTool
from ._request import StatusError, WebConfig, send

__all__ = ["HTTPX", "AsyncHTTPX", "HTTPXConfig"]


class HTTPXConfig(WebConfig):
    """The limits of `HTTPX` and `AsyncHTTPX`."""


class _BaseHTTPX(ConfigurableTool[HTTPXConfig], ABC):
    """Make an HTTP request and return the text of the response."""

    __configurable_tool_config__ = HTTPXConfig()
    __prompt_usage_description__: ClassVar[str] = """
    - `HTTPX`: Makes an HTTP request to a public URL
        - Supports the methods GET, POST, PUT, DELETE, HEAD and OPTIONS
        - Sends form data or JSON, URL parameters and headers
        - Follows redirects, unless `follow_redirects` is false
        - Returns the text of the response, or an error message
    """

    url: str = Field(..., description="The URL to request")
    method: Literal["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"] = Field(
        default="GET", description="The HTTP method"
    )
    # Any: values of JSON
    data: dict[str, Any] | None = Field(default=None, description="Form data to send with a POST or PUT request")
    json_: dict[str, Any] | None = Field(
        default=None, description="JSON to send with a POST or PUT request", alias="json"
    )
    params: dict[str, Any] | None = Field(default=None, description="URL parameters to add to the URL")
    headers: dict[str, Any] | None = Field(default=None, description="Request headers")
    follow_redirects: bool = Field(default=True, description="Whether to follow redirects")

    def _request(self) -> str:
        try:
            return send(
                self.method,
                self.url,
                self._get_config().policy(),
                params=self.params,
                headers=self.headers,
                form=self.data,
                json_body=self.json_,
                follow_redirects=self.follow_redirects,
            ).text
        except StatusError as error:
            return f"HTTP error occurred: {error.status} - {error}"
        except Exception as error:  # a tool returns its failures
            return f"Request error occurred: {error or type(error).__name__}"


class HTTPX(_BaseHTTPX):
    """Make an HTTP request and return the text of the response."""

    def call(self) -> str:
        """Return the text of the response, or an error message."""
        return self._request()


class AsyncHTTPX(_BaseHTTPX):
    """Make an HTTP request and return the text of the response."""

    async def call(self) -> str:
        """Return the text of the response, or an error message.

        The request runs in a thread. If the task is cancelled, the thread ends at the latest after the timeout.
        """
        return await asyncio.to_thread(self._request)
