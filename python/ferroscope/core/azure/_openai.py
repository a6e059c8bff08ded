"""Azure through OpenAI's SDK: how default clients are made, and what parameters of azure-ai-inference's become."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._dialects.openai_chat.sdk import COMPLETIONS, OpenAISdk, extend_body, method_parameters
from ...errors import MissingExtraError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

ENVIRONMENT = (
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_API_VERSION",
    "OPENAI_API_VERSION",
)
_SCOPE = "https://cognitiveservices.azure.com/.default"
_V1 = "/openai/v1"
# What Microsoft calls the API without versions where a version is asked for.
_WITHOUT_VERSIONS = frozenset({"v1", "latest", "preview"})


@dataclass(frozen=True, slots=True)
class AzureOpenAISdk(OpenAISdk):
    """OpenAI's SDK, for programs that were written for azure-ai-inference too."""

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        request = {name: _plain(value) for name, value in request.items()}
        request.update(request.pop("model_extras", None) or {})
        kwargs = extend_body(request, _parameters())
        given = kwargs.get("response_format")
        if isinstance(given, str):
            kwargs["response_format"] = {"type": given}
        elif isinstance(given, dict) and "type" not in given:
            kwargs["response_format"] = {"type": "json_schema", "json_schema": given}
        if isinstance(kwargs.get("stop"), str):
            kwargs["stop"] = [kwargs["stop"]]
        return kwargs


@dataclass(frozen=True, slots=True)
class UnusableSdk(OpenAISdk):
    """An SDK that is installed and cannot be used: the call raises, and not the import."""

    reason: str = ""

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        raise MissingExtraError(self.reason, name="azure.ai.inference")


def _parameters() -> frozenset[str]:
    """Return the parameters of the SDK's method; the SDK is loaded when the first call is made.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return method_parameters(COMPLETIONS)
    except ImportError as error:
        raise MissingExtraError(
            "without AZURE_INFERENCE_ENDPOINT, Azure is called with OpenAI's SDK, which is not installed: "
            "pip install 'ferroscope[azure]'",
            name="openai",
        ) from error


def _plain(value: Any) -> Any:
    """A parameter without the models of azure-ai-inference."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.as_dict() if hasattr(value, "as_dict") else value


def sync_client() -> OpenAI:
    """The default client of sync calls: of the dated API if a version is named, else of the one without versions."""
    from openai import AzureOpenAI, OpenAI

    if version := _api_version():
        tokens = None if _key() else _tokens()
        return AzureOpenAI(azure_endpoint=_endpoint(), api_version=version, azure_ad_token_provider=tokens)
    return OpenAI(base_url=_base_url(), api_key=_key() or _tokens())


def async_client() -> AsyncOpenAI:
    """The default client of async calls."""
    from openai import AsyncAzureOpenAI, AsyncOpenAI

    if version := _api_version():
        return AsyncAzureOpenAI(
            azure_endpoint=_endpoint(),
            api_version=version,
            azure_ad_token_provider=None if _key() else _async_tokens(),
        )
    return AsyncOpenAI(base_url=_base_url(), api_key=_key() or _async_tokens())


def _endpoint() -> str:
    endpoint = os.environ.get("AZURE_OPENAI_ENDPOINT")
    if not endpoint:
        # That this one is asked at all means that the other SDK is not there.
        other = (
            "; AZURE_INFERENCE_ENDPOINT is for azure-ai-inference, which Microsoft has retired and which is not "
            "installed: pip install 'ferroscope[azure-inference]'"
        )
        raise KeyError(
            "AZURE_OPENAI_ENDPOINT is not set: put the address of the resource there, such as "
            "https://my-resource.openai.azure.com, and its key in AZURE_OPENAI_API_KEY, or pass `client=`"
            + (other if os.environ.get("AZURE_INFERENCE_ENDPOINT") else "")
        )
    return endpoint.rstrip("/")


def _base_url() -> str:
    endpoint = _endpoint()
    return endpoint if endpoint.endswith(_V1) else f"{endpoint}{_V1}"


def _api_version() -> str | None:
    """The date of the dated API, if that is asked for."""
    version = os.environ.get("OPENAI_API_VERSION") or os.environ.get("AZURE_OPENAI_API_VERSION")
    # An address that leads to the API without versions has nothing else below it.
    return None if version in _WITHOUT_VERSIONS or _endpoint().endswith(_V1) else version


def _key() -> str | None:
    # If both are there, the SDK's client of the dated API sends the token.
    return os.environ.get("AZURE_OPENAI_AD_TOKEN") or os.environ.get("AZURE_OPENAI_API_KEY")


def _tokens() -> Callable[[], str]:
    """What makes tokens for the identity that the machine or the user is signed in with, where no key is given."""
    try:
        from azure.identity import DefaultAzureCredential, get_bearer_token_provider  # pyright: ignore[reportMissingImports]  # optional: only to sign in without a key
    except ImportError:
        # Never the key of OPENAI_API_KEY, which the SDK would take: it is another provider's.
        raise KeyError(
            "neither AZURE_OPENAI_API_KEY nor AZURE_OPENAI_AD_TOKEN is set: set one of them, or install "
            "azure-identity to use the identity that you are signed in with"
        ) from None
    tokens: Callable[[], str] = get_bearer_token_provider(DefaultAzureCredential(), _SCOPE)
    return tokens


def _async_tokens() -> Callable[[], Awaitable[str]]:
    tokens = _tokens()

    async def token() -> str:
        from anyio import to_thread

        return await to_thread.run_sync(tokens)

    return token
