"""The default clients for Amazon Bedrock.

Creating a client reads and parses JSON files of the SDK, which takes longer than a request. All clients of the process
share the parsed files.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from functools import cache
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import NoRegionError
from botocore.session import get_session

from ..._sdk_internals import endpoint

# Any: AWS's SDKs have no types.

_SERVICE: Final = "bedrock-runtime"
# v1's own name first. https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
_REGIONS: Final = ("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION")
# The SDK's default read timeout is one minute, in which a long response is not complete, and it then retries the
# request. Its default pool has ten connections. These values are those of OpenAI's SDK.
_OPTIONS: Final[dict[str, Any]] = {"read_timeout": 600, "max_pool_connections": 1000}


@cache
def _loader() -> Any:
    """Return the loader of the SDK's files, which caches them."""
    return get_session().get_component("data_loader")


def _region() -> str | None:
    return next(filter(None, map(os.environ.get, _REGIONS)), None)


def sync_client(**options: Any) -> Any:
    """Return a client for sync calls.

    Args:
        options: Keyword arguments of the SDK's `create_client`.

    Raises:
        botocore.exceptions.NoRegionError: Neither the environment nor a profile sets a region.
    """
    session = get_session()
    session.register_component("data_loader", _loader())
    try:
        return session.create_client(_SERVICE, region_name=_region(), config=Config(**_OPTIONS), **options)
    except NoRegionError as error:
        raise _with_hint(error) from None


class AsyncClient:
    """A client for async calls. The SDK's client is an async context manager, which the first call enters.

    Args:
        options: Keyword arguments of the SDK's `create_client`.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._stack = AsyncExitStack()
        self._opening: asyncio.Task[Any] | None = None

    async def open(self) -> Any:
        """Return the SDK's client, and create it in the first call.

        Raises:
            botocore.exceptions.NoRegionError: Neither the environment nor a profile sets a region.
        """
        if self._opening is None or (self._opening.done() and (self._opening.cancelled() or self._opening.exception())):
            self._opening = asyncio.create_task(self._open())
        # Several calls may wait for the client, so the cancellation of one call must not cancel its creation.
        return await asyncio.shield(self._opening)

    async def _open(self) -> Any:
        # Read the files in a thread, so that they do not block the event loop.
        session = await asyncio.to_thread(_async_session)
        from aiobotocore.config import AioConfig

        creating = session.create_client(_SERVICE, region_name=_region(), config=AioConfig(**_OPTIONS), **self._options)
        try:
            return await self._stack.enter_async_context(creating)
        except NoRegionError as error:
            raise _with_hint(error) from None

    async def close(self) -> None:
        """Close the SDK's client."""
        await self._stack.aclose()


def _async_session() -> Any:
    from aiobotocore.session import get_session as get_async_session

    session = get_async_session()
    session.register_component("data_loader", _loader())
    # Creating a sync client fills the cache of the loader.
    sync_client() if _region() else None
    return session


def _with_hint(error: NoRegionError) -> NoRegionError:
    error.add_note("set AWS_REGION to the region of the models, or pass `client=`")
    return error


def async_client() -> AsyncClient:
    """Return a client for async calls."""
    return AsyncClient()


def http_of(client: Any) -> Any:
    """Return the HTTP client of a client; None for another object."""
    return endpoint(client)
