"""The client of calls through LiteLLM, which has keys and connections of its own."""

from __future__ import annotations


class NoClient:
    """Stands where other providers have a client."""

    async def close(self) -> None:
        """Close nothing."""
