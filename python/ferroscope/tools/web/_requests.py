"""A tool for HTTP requests with the most common options."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from ..base import ConfigurableTool
from ._request import WebConfig, send

__all__ = ["Requests", "RequestsConfig"]


class RequestsConfig(WebConfig):
    """The limits of `Requests`."""


class Requests(ConfigurableTool[RequestsConfig]):
    """Make an HTTP request and return the text of the response."""

    __configurable_tool_config__ = RequestsConfig()
    __prompt_usage_description__: ClassVar[str] = """
    - `Requests`: Makes an HTTP request to a public URL
        - Supports the methods GET, POST, PUT and DELETE
        - Sends JSON data and headers
        - Returns the text of the response, or an error message
    """

    url: str = Field(..., description="The URL to request")
    method: Literal["GET", "POST", "PUT", "DELETE"] = Field(default="GET", description="The HTTP method")
    # Any: values of JSON
    data: dict[str, Any] | None = Field(default=None, description="Data to send as JSON with a POST or PUT request")
    headers: dict[str, Any] | None = Field(default=None, description="Request headers")

    def call(self) -> str:
        """Return the text of the response, or an error message."""
        try:
            policy = self._get_config().policy()
            return send(self.method, self.url, policy, headers=self.headers, json_body=self.data).text
        except Exception as error:  # a tool returns its failures
            return f"{type(error).__name__}: Failed to extract content from URL {self.url}: {error}"
