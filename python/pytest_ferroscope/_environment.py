"""The environment in which the default clients of all providers connect to a test server."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator, Mapping

from ferroscope.core._registry import provider_names, provider_record
from ferroscope.core._servers import SERVERS
from ferroscope.errors import MissingExtraError
from ferroscope.testing import ProviderServer

TEST_KEY = "test-key"

_ADDRESS = re.compile(r"(_BASE_URL|_ENDPOINT|_API_URL|_ENDPOINT_URL_\w+)$")
_KEY = re.compile(r"(_KEY|_KEY_ID|_TOKEN|_CREDENTIAL)$")
# Variables with which an SDK would use other credentials, or another service.
_UNSET = {
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_PROFILE",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AZURE_OPENAI_AD_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_GENAI_USE_ENTERPRISE",
    "GOOGLE_GENAI_USE_VERTEXAI",
}
_REGION = {"AWS_REGION": "us-east-1"}

# The addresses of the SDKs' own default clients, for recording.
_ADDRESSES = {
    "anthropic": "https://api.anthropic.com",
    "cohere": "https://api.cohere.com",
    "google": "https://generativelanguage.googleapis.com",
    "groq": "https://api.groq.com",
    "mistral": "https://api.mistral.ai",
    "openai": "https://api.openai.com/v1",
    "xai": "https://api.x.ai/v1",
}


def server_environment(server: ProviderServer, *, with_keys: bool = True) -> dict[str, str | None]:
    """Return the variables with which default clients connect to a server. None: the variable must not be set.

    Args:
        server: The server, which is running.
        with_keys: Whether the keys are test keys. Otherwise they are left alone.
    """
    environment: dict[str, str | None] = {}
    for mount, variables in _variables():
        for name in variables:
            if name in _UNSET:
                if with_keys:
                    environment[name] = None
            elif _ADDRESS.search(name):
                environment.setdefault(name, server.base_url(mount))
            elif with_keys and _KEY.search(name):
                environment.setdefault(name, TEST_KEY)
    if with_keys and any(name.startswith("AWS_") for name in environment):
        environment.update(_REGION)
    return environment


def upstreams() -> Mapping[str, str]:
    """Return the real base URL of each provider: from its variable, or its public address."""
    found = {**_ADDRESSES, **{name: server.base_url for name, server in SERVERS.items()}}
    for name, variables in _variables():
        for variable in variables:
            if _ADDRESS.search(variable) and os.environ.get(variable):
                found[name] = os.environ[variable]
    return found


def _variables() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return the server's name of each provider whose SDK is installed, with its variables."""
    for name in provider_names():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of v1's names for other providers
                record = provider_record(name)
        except MissingExtraError:
            continue
        yield name, record.clients.environment
