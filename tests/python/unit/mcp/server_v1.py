"""A server as written for v1, over stdio."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

from pydantic import Field

from ferroscope.core import BaseTool
from ferroscope.core.base import ImagePart, Messages
from ferroscope.mcp import MCPServer

warnings.simplefilter("ignore", DeprecationWarning)
server = MCPServer("books", version="2.0.0")


@server.tool()
def find_book(genre: str, limit: int = 1) -> list[str]:
    """Find books."""
    return [f"Dune ({genre})"] * limit


class Rate(BaseTool):
    """Rate a book."""

    stars: int = Field(..., ge=1, le=5, description="The stars.")

    async def call(self) -> str:
        return "*" * self.stars


server.tool()(Rate)


@server.tool()
def fail(reason: str) -> str:
    """Fail."""
    raise LookupError(reason)


@server.resource(uri="books://authors", name="Authors", mime_type="text/plain")
async def authors() -> str:
    """The authors."""
    return "Herbert, Le Guin"


@server.resource(uri="books://cover", mime_type="image/png")
def cover() -> bytes:
    return b"\x89PNG"


@server.prompt()
def recommend(genre: str, mood: str = "calm") -> str:
    """Recommend a book.

    Args:
        genre: The genre.
        mood: The mood.
    """
    return f"Recommend a {genre} book ({mood})."


@server.prompt("SYSTEM: Be brief.\nUSER: Describe {book}.")
def describe(book: str) -> None: ...


@server.prompt()
def show(book: str) -> Any:
    return [Messages.User(["Look:", ImagePart(type="image", media_type="image/png", image=b"\x89PNG", detail=None)])]


if __name__ == "__main__":
    asyncio.run(server.run())
