"""Call parameters for every major version of the SDK.

Some members of the body are not parameters of an SDK's method: betas of the API, and since 1.0 `temperature`, `top_p`
and `top_k`. The API version of SDK 2.x refuses those three. A warning names each parameter that is not sent.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from ...core.base._prompts.callers import callers_level

SAMPLING: Final = ("temperature", "top_p", "top_k")
# Members that the body may have although the SDK's method has no such parameter. For any other name, the SDK
# raises an error.
IN_BODY: Final = frozenset(
    {
        *SAMPLING,
        "container",
        "context_management",
        "inference_geo",
        "output_config",
        "service_tier",
        "speed",
        "thinking",
    }
)
_REFUSED_SINCE: Final = "2026-10-21"


def route_parameters(client: Any, kwargs: dict[str, Any]) -> dict[str, Any]:  # Any: any client of the SDK
    """Return the keyword arguments in the form that the client's version of the SDK accepts.

    Warns:
        UserWarning: The API version of the client refuses parameters, so they are not sent.
    """
    moved = {name: value for name, value in kwargs.items() if name in IN_BODY and name not in _method_parameters()}
    if not moved:
        return kwargs
    rest = {name: value for name, value in kwargs.items() if name not in moved}
    sampling = [name for name in SAMPLING if name in moved]
    if sampling and _refuses(client, kwargs, sampling):
        moved = {name: value for name, value in moved.items() if name not in sampling}
    body = {**moved, **(kwargs.get("extra_body") or {})}
    return {**rest, "extra_body": body} if body else rest


@cache
def _method_parameters() -> frozenset[str]:
    """Return the parameters of the installed SDK's method."""
    from anthropic.resources.messages import Messages

    return frozenset(inspect.signature(Messages.create).parameters)


def _refuses(client: Any, kwargs: Mapping[str, Any], names: Sequence[str]) -> bool:
    body_version = _body_version(client)
    version = _api_version(client, kwargs, in_body=body_version is not None)
    if version < _REFUSED_SINCE:
        return False
    if body_version is None:
        way = 'call_params={"extra_headers": {"anthropic-version": "2023-06-01"}, ...}, or a client with these '
        way += "`default_headers`"
    else:
        way = f'call_params={{"extra_body": {{"anthropic_version": "{body_version}"}}, ...}}'
    warnings.warn(
        f"Anthropic's API of {version} refuses {', '.join(map(repr, names))}, so "
        f"{'it is' if len(names) == 1 else 'they are'} not sent to {kwargs['model']!r}. Leave them out, or request the "
        f"API version that accepts them: {way}.",
        UserWarning,
        stacklevel=callers_level(),
    )
    return True


def _api_version(client: Any, kwargs: Mapping[str, Any], *, in_body: bool) -> str:
    """Return the API version of a request: a date, as Anthropic names its versions."""
    asked = (kwargs.get("extra_body") or {}).get("anthropic_version")
    if not asked and not in_body:
        asked = _header(kwargs.get("extra_headers")) or _header(getattr(client, "default_headers", None))
    # The versions of Bedrock and Vertex AI have a prefix.
    return "-".join(str(asked or _default_version()).split("-")[-3:])


def _header(headers: object) -> str | None:
    if not isinstance(headers, Mapping):
        return None
    found = next((value for name, value in headers.items() if name.lower() == "anthropic-version"), None)
    return found if isinstance(found, str) else None


def _default_version() -> str:
    version = str(getattr(sys.modules.get("anthropic"), "__version__", "0"))
    major = version.partition(".")[0]
    return _REFUSED_SINCE if major.isdigit() and int(major) >= 2 else ""


def _body_version(client: Any) -> str | None:
    """Return the older API version as written in the body; None for clients that send the version in a header."""
    from anthropic.lib.bedrock import AnthropicBedrock, AsyncAnthropicBedrock
    from anthropic.lib.vertex import AnthropicVertex, AsyncAnthropicVertex

    match client:
        case AnthropicBedrock() | AsyncAnthropicBedrock():
            return "bedrock-2023-05-31"
        case AnthropicVertex() | AsyncAnthropicVertex():
            return "vertex-2023-10-16"
        case _:
            return None
