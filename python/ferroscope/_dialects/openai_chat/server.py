"""A server with OpenAI's chat completions, as a row of data."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

from ..._engine.clients import Clients
from ...core.base.quirks import Quirks
from ...errors import MissingApiKeyError
from .sdk import async_client, sync_client


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server with OpenAI's chat completions.

    Attributes:
        name: The name that users write.
        base_url: The URL before `/chat/completions`. The environment variable `<NAME>_BASE_URL` overrides it.
        api_key_env: The environment variable with the key; None if the server checks no key.
        prices: The provider in the price table; empty if it has the same name there.
        quirks: The differences from OpenAI's format.
        responses: Whether the server also has the Responses API, at `/responses`. Calls use it only if they ask for it
            with `call_params={"api": "responses"}`.
    """

    name: str
    base_url: str
    api_key_env: str | None = None
    prices: str = ""
    quirks: Quirks = field(default_factory=Quirks)
    responses: bool = False

    @property
    def base_url_env(self) -> str:
        """The environment variable that overrides the base URL."""
        return f"{re.sub('[^a-z0-9]', '_', self.name).upper()}_BASE_URL"

    def url(self) -> str:
        """Return the base URL, with the current value of the environment variable."""
        return os.environ.get(self.base_url_env) or self.base_url

    def key(self) -> str:
        """Return the API key.

        Raises:
            ferroscope.errors.MissingApiKeyError: The environment variable is not set.
        """
        if self.api_key_env is None:
            return self.name  # the SDK requires a key
        key = os.environ.get(self.api_key_env)
        if not key:
            # Do not fall back to OPENAI_API_KEY, as the SDK would: it belongs to another provider.
            raise MissingApiKeyError(
                f"{self.api_key_env} is not set: set it to the API key for {self.name!r}, or pass `client=`"
            )
        return key

    def identity(self) -> dict[str, Any]:  # Any: the fields of a record
        """Return the fields with which the record of OpenAI becomes the record of this server."""
        return {
            "name": self.name,
            "prices": self.prices,
            "quirks": self.quirks,
            "clients": self.clients(),
            "batch_api": "",
        }

    def clients(self) -> Clients:
        """Return the default clients."""
        environment = (self.base_url_env, self.api_key_env)
        return Clients(
            environment=tuple(filter(None, environment)),
            sync=lambda: sync_client(self.url(), self.key()),
            asynchronous=lambda: async_client(self.url(), self.key()),
        )
