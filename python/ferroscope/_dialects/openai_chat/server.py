"""A server that speaks OpenAI's chat completions, as a row of data."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from ..._engine.clients import Clients
from ...core.base.quirks import Quirks
from ...errors import MissingApiKeyError
from .sdk import async_client, sync_client


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that speaks OpenAI's chat completions.

    Attributes:
        name: The name that users write.
        base_url: The URL below which `/chat/completions` is. The environment variable `<NAME>_BASE_URL` overrides it.
        api_key_env: The environment variable with the key; None if the server checks no key.
        prices: The provider in the price table; empty if it has the same name there.
        quirks: The differences from OpenAI's format.
        responses: Whether the server has the Responses API too, at `/responses`. Calls go there only when they ask
            for it with `call_params={"api": "responses"}`.
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
        """Return the base URL, as the environment has it now."""
        return os.environ.get(self.base_url_env) or self.base_url

    def key(self) -> str:
        """Return the API key.

        Raises:
            ferroscope.errors.MissingApiKeyError: The environment variable is not set.
        """
        if self.api_key_env is None:
            return self.name  # the SDK insists on a key
        key = os.environ.get(self.api_key_env)
        if not key:
            # Never OPENAI_API_KEY, which the SDK would take: it belongs to another provider.
            raise MissingApiKeyError(
                f"{self.api_key_env} is not set: put the API key for {self.name!r} there, or pass `client=`"
            )
        return key

    def clients(self) -> Clients:
        """Return the default clients."""
        environment = (self.base_url_env, self.api_key_env)
        return Clients(
            environment=tuple(filter(None, environment)),
            sync=lambda: sync_client(self.url(), self.key()),
            asynchronous=lambda: async_client(self.url(), self.key()),
        )
