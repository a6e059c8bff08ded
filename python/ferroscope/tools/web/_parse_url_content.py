"""A tool that returns the main text of a web page."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from pydantic import Field

from ..._engine.extras import require_package
from ..base import ConfigurableTool
from ._request import Received, StatusError, WebConfig, send

__all__ = ["ParseURLConfig", "ParseURLContent"]

_NOT_CONTENT: Final = ("script", "style", "nav", "header", "footer", "aside")


class ParseURLConfig(WebConfig):
    """The limits of `ParseURLContent`, and its parser."""

    parser: str = Field(
        default="html.parser",
        description="The parser of BeautifulSoup",
        examples=["html.parser", "lxml", "lxml-xml", "html5lib"],
    )
    # Lower than for other requests, because parsing is slower than receiving.
    max_bytes: int = Field(default=2 * 1024 * 1024, gt=0, description="Maximum size of the page in bytes")


class ParseURLContent(ConfigurableTool[ParseURLConfig]):
    """Return the main content of a web page as text, without scripts, styles and navigation."""

    __configurable_tool_config__ = ParseURLConfig()
    __prompt_usage_description__: ClassVar[str] = """
    - `ParseURLContent`: Returns the main content of a public URL as text
        - Removes scripts, styles, navigation, headers and footers
        - Returns the main section, or all text if there is none
        - Returns an error message if the page cannot be read
    """

    url: str = Field(..., description="The URL of the page")

    def call(self) -> str:
        """Return the text of the page, or an error message.

        Raises:
            ferroscope.errors.MissingExtraError: The package `beautifulsoup4` is not installed.
        """
        require_package("bs4", extra="parse-url", user="ParseURLContent")
        config = self._get_config()
        try:
            page = send("GET", self.url, config.policy())
        except (OSError, StatusError, ValueError) as error:
            return f"Failed to fetch content from URL: {error}"
        try:
            return _main_text(page, config.parser) or "No content found on the page"
        except Exception as error:  # a tool returns its failures
            return f"{type(error).__name__}: Failed to parse content from URL: {error}"


def _main_text(page: Received, parser: str) -> str:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(page.body, parser, from_encoding=page.charset)
    for element in soup.find_all(_NOT_CONTENT):
        element.decompose()
    main = soup.find("main") or soup.find("article") or soup.find("div", class_=re.compile("content|main")) or soup
    lines = (line.strip() for line in main.get_text(separator="\n", strip=True).splitlines())
    return "\n".join(line for line in lines if line)
