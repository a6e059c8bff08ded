"""The private attributes of SDKs that this package reads. All of them are read in this module.

Another version of an SDK, or an object that stands in for one of its objects, may not have them. A function then
returns None, and its caller does without.
"""

from __future__ import annotations

from typing import Any

# Any: the objects of any SDK.


def _attribute(value: Any, *names: str) -> Any:
    """Return an attribute of an attribute, and so on; None if one is missing."""
    for name in names:
        value = getattr(value, name, None)
    return value


# ---- openai, anthropic, groq, and other SDKs of the same generator


def http_client(client: Any) -> Any:
    """Return the HTTP client inside a client."""
    return _attribute(client, "_client")


def is_iterated_by_sdk(sdk_stream: Any) -> bool:
    """Return whether a stream still has the iterator that the SDK gave it, and no observer."""
    attributes = vars(sdk_stream)
    iterator = attributes.get("_iterator")
    if iterator is not None:
        code = getattr(iterator, "gi_code", None) or getattr(iterator, "ag_code", None)
        if getattr(code, "co_name", None) != "__stream__":
            return False
    # Anthropic's SDK records tracing spans through `_observer` (an attribute in old versions, a property in new ones).
    return "close" not in attributes and _attribute(sdk_stream, "_observer") is None


def set_request_id(result: Any, identifier: str | None) -> None:
    """Set the request id of a response, where the SDK sets it."""
    vars(result)["_request_id"] = identifier  # the same as an assignment, which pydantic checks


def tracer(client: Any) -> Any:
    """Return the object with which Anthropic's SDK records spans for a client; None if it records none."""
    return _attribute(client, "_tracer")


# ---- cohere


def set_http_client(client: Any, http: Any) -> None:
    """Put an HTTP client where `http_client` finds it, in a client that holds it at another place."""
    client._client = http


def bearer_token(client: Any) -> Any:
    """Return the API key of a client."""
    return _attribute(client, "_client_wrapper", "_token")


# ---- google-genai


def api_key(client: Any) -> Any:
    """Return the API key of a client."""
    return _attribute(client, "_api_client", "api_key")


def base_url(client: Any) -> str:
    """Return the URL that a client sends requests to; empty if it is unknown."""
    return str(_attribute(client, "_api_client", "_http_options", "base_url") or "")


def retry_options(client: Any) -> Any:
    """Return the settings for retries of a client."""
    return _attribute(client, "_api_client", "_http_options", "retry_options")


# ---- botocore


def endpoint(client: Any) -> Any:
    """Return the object with the HTTP connections of a client."""
    return _attribute(client, "_endpoint")


# ---- azure-core and azure-ai-inference


def raw_response(response: Any) -> Any:
    """Return the response of the HTTP library below a response."""
    return _attribute(response, "_internal_response", "raw")


def model_extras(client: Any) -> dict[str, Any]:
    """Return the default of `model_extras` that a client was created with; empty if there is none."""
    found = _attribute(client, "_model_extras")
    return found if isinstance(found, dict) else {}


# ---- litellm


def reported_cost(response: Any) -> Any:
    """Return the cost that LiteLLM calculated for a response."""
    return (_attribute(response, "_hidden_params") or {}).get("response_cost")
