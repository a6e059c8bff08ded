"""The client of calls through LiteLLM, which has keys and connections of its own."""

from __future__ import annotations

import asyncio
import inspect
import sys
from typing import Any


class NoClient:
    """Stands where other providers have a client."""

    async def close(self) -> None:
        """Close the clients that LiteLLM cached for the running event loop. LiteLLM itself leaves them open."""
        cache: Any = getattr(sys.modules.get("litellm"), "in_memory_llm_clients_cache", None)
        if not hasattr(cache, "update_cache_key_with_event_loop"):
            return
        of_loop = cache.update_cache_key_with_event_loop("")
        clients = {key: client for key, client in list(cache.cache_dict.items()) if of_loop and key.endswith(of_loop)}
        for key, client in clients.items():
            cache.cache_dict.pop(key, None)
            close = getattr(client, "close", None)
            if close is not None and inspect.isawaitable(closing := close()):
                await closing
        await asyncio.sleep(0)  # aiohttp leaves the last step to the loop
