"""Azure through OpenAI's SDK: the default clients, and the conversion of parameters of azure-ai-inference.

https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..._engine.clients import Clients
from ..._engine.common_errors import class_of_both
from ...errors import MissingApiKeyError, MissingExtraError
from ..openai_chat.sdk import COMPLETIONS, OpenAISdk, extend_body, method_parameters
from ..openai_responses.dialect import RESPONSES_METHOD
from .record import BATCH_APIS, Service

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

_ENVIRONMENT: Final = (
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPENAI_API_KEY",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_API_VERSION",
    "OPENAI_API_VERSION",
)
_SCOPE = "https://cognitiveservices.azure.com/.default"
_V1 = "/openai/v1"
# Values of the version variable that select the v1 API, which has no dated versions.
_WITHOUT_VERSIONS = frozenset({"v1", "latest", "preview"})


@dataclass(frozen=True, slots=True)
class AzureOpenAISdk(OpenAISdk):
    """OpenAI's SDK, with support for the parameters of azure-ai-inference."""

    def arguments(self, request: dict[str, Any]) -> dict[str, Any]:
        request = {name: _without_models(value) for name, value in request.items()}
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


def _parameters() -> frozenset[str]:
    """Return the parameters of the SDK's method. The first call loads the SDK.

    Raises:
        MissingExtraError: The SDK is not installed.
    """
    try:
        return method_parameters(COMPLETIONS)
    except ImportError as error:
        raise MissingExtraError(
            "unless AZURE_INFERENCE_ENDPOINT is set, calls to Azure require OpenAI's SDK, which is not installed: "
            "pip install 'ferroscope[azure]'",
            name="openai",
        ) from error


def _without_models(value: Any) -> Any:
    """Return a parameter with objects of azure-ai-inference converted to dicts."""
    if isinstance(value, list):
        return [_without_models(one) for one in value]
    return value.as_dict() if hasattr(value, "as_dict") else value


def sync_client() -> OpenAI:
    """Return the default client of sync calls: for the dated API if a version is set, otherwise for the v1 API."""
    from openai import AzureOpenAI, OpenAI

    if version := _api_version():
        tokens = None if _key() else _token_provider()
        return AzureOpenAI(azure_endpoint=_endpoint(), api_version=version, azure_ad_token_provider=tokens)
    return OpenAI(base_url=_base_url(), api_key=_key() or _token_provider())


def async_client() -> AsyncOpenAI:
    """Return the default client of async calls; see `sync_client`."""
    from openai import AsyncAzureOpenAI, AsyncOpenAI

    if version := _api_version():
        return AsyncAzureOpenAI(
            azure_endpoint=_endpoint(),
            api_version=version,
            azure_ad_token_provider=None if _key() else _async_token_provider(),
        )
    return AsyncOpenAI(base_url=_base_url(), api_key=_key() or _async_token_provider())


def _endpoint() -> str:
    endpoint = os.environ.get("AZURE_OPENAI_ENDPOINT")
    if not endpoint:
        # This SDK is only used with the other variable if the other SDK is not installed.
        other = (
            "; AZURE_INFERENCE_ENDPOINT is for azure-ai-inference, which Microsoft has retired and which is not "
            "installed: pip install 'ferroscope[azure-inference]'"
        )
        raise KeyError(
            "AZURE_OPENAI_ENDPOINT is not set: set it to the URL of the resource, such as "
            "https://my-resource.openai.azure.com, and AZURE_OPENAI_API_KEY to its key, or pass `client=`"
            + (other if os.environ.get("AZURE_INFERENCE_ENDPOINT") else "")
        )
    return endpoint.rstrip("/")


def _base_url() -> str:
    endpoint = _endpoint()
    return endpoint if endpoint.endswith(_V1) else f"{endpoint}{_V1}"


def _api_version() -> str | None:
    """Return the version of the dated API; None for the v1 API."""
    version = os.environ.get("OPENAI_API_VERSION") or os.environ.get("AZURE_OPENAI_API_VERSION")
    # An endpoint that ends with the path of the v1 API has no dated API.
    return None if version in _WITHOUT_VERSIONS or _endpoint().endswith(_V1) else version


def _key() -> str | None:
    # The token comes first, as in the SDK's client for the dated API.
    return os.environ.get("AZURE_OPENAI_AD_TOKEN") or os.environ.get("AZURE_OPENAI_API_KEY")


def _token_provider() -> Callable[[], str]:
    """Return a function that creates tokens for the signed-in identity of the machine or user.

    Raises:
        MissingApiKeyError: azure-identity is not installed. It is a `KeyError` too, as in v1.
    """
    try:
        from azure.identity import DefaultAzureCredential, get_bearer_token_provider  # pyright: ignore[reportMissingImports]  # optional: for calls without a key
    except ImportError:
        # Without this error, the SDK would send OPENAI_API_KEY, which is a key of another provider.
        raise class_of_both(MissingApiKeyError, KeyError)(
            "neither AZURE_OPENAI_API_KEY nor AZURE_OPENAI_AD_TOKEN is set: set one of them, or install "
            "azure-identity to use the identity that you are signed in with"
        ) from None
    tokens: Callable[[], str] = get_bearer_token_provider(DefaultAzureCredential(), _SCOPE)
    return tokens


def _async_token_provider() -> Callable[[], Awaitable[str]]:
    tokens = _token_provider()

    async def token() -> str:
        from anyio import to_thread

        return await to_thread.run_sync(tokens)

    return token


def is_inference(client: object | None) -> bool:
    """Return whether azure-ai-inference serves a client, or the default client for None."""
    if client is not None:
        return hasattr(client, "complete") and not hasattr(client, "chat")
    return bool(os.environ.get("AZURE_INFERENCE_ENDPOINT")) and not os.environ.get("AZURE_OPENAI_ENDPOINT")


AZURE_SERVICE: Final = Service(
    clients=Clients(environment=_ENVIRONMENT, sync=sync_client, asynchronous=async_client),
    chat_batch_api=f"{BATCH_APIS}:AZURE_CHAT",
    responses_batch_api=f"{BATCH_APIS}:AZURE_RESPONSES",
    label="Azure",
    chat_sdk=AzureOpenAISdk(),
    responses_method=RESPONSES_METHOD,
    telemetry_name="azure.ai.openai",
)
