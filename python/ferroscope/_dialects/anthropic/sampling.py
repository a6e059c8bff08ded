"""`temperature`, `top_p` and `top_k` on every major version of the SDK.

0.x takes them; 1.x no longer has them as parameters, but its API version does; the API version that 2.x asks
for refuses them, whatever their value. They are never lost in silence.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any, Final

from ...core.base._callers import callers_level

SAMPLING: Final = ("temperature", "top_p", "top_k")
_REFUSED_SINCE: Final = "2026-10-21"


def route_sampling(client: Any, kwargs: dict[str, Any]) -> dict[str, Any]:  # Any: any client of the SDK
    """The keyword arguments as the client's version of the SDK takes them.

    Warns:
        UserWarning: The API version that the client asks for refuses the parameters, so they are not sent.
    """
    given = {name: kwargs[name] for name in SAMPLING if name in kwargs}
    major = _major()
    if not given or major == 0:
        return kwargs
    rest = {name: value for name, value in kwargs.items() if name not in given}
    version = _api_version(client, kwargs, major)
    if version >= _REFUSED_SINCE:
        names = ", ".join(map(repr, given))
        warnings.warn(
            f"Anthropic's API of {version} refuses {names}, so {'it is' if len(given) == 1 else 'they are'} not "
            f"sent to {kwargs['model']!r}. Leave them out, or ask for the API that takes them: "
            'call_params={"extra_headers": {"anthropic-version": "2023-06-01"}, ...}, or a client with these '
            "`default_headers` (for Bedrock and Vertex AI: `anthropic_version` in `extra_body`).",
            UserWarning,
            stacklevel=callers_level(),
        )
        return rest
    return {**rest, "extra_body": {**given, **(kwargs.get("extra_body") or {})}}


def _major() -> int:
    version = str(getattr(sys.modules.get("anthropic"), "__version__", "0"))
    major = version.partition(".")[0]
    return int(major) if major.isdigit() else 0


def _api_version(client: Any, kwargs: Mapping[str, Any], major: int) -> str:
    """The API version that a request will ask for: a date, as Anthropic names them."""
    body = (kwargs.get("extra_body") or {}).get("anthropic_version")
    headers = {name.lower(): value for name, value in (kwargs.get("extra_headers") or {}).items()}
    asked = body or headers.get("anthropic-version") or _default(client) or ("" if major < 2 else _REFUSED_SINCE)
    # Bedrock's and Vertex AI's own begin with their names: `bedrock-2023-05-31`.
    return "-".join(str(asked).split("-")[-3:])


def _default(client: Any) -> str | None:
    """The version in the client's headers; None for clients that say it in the body."""
    headers = getattr(client, "default_headers", None)
    if not isinstance(headers, Mapping):
        return None
    found = next((value for name, value in headers.items() if name.lower() == "anthropic-version"), None)
    return found if isinstance(found, str) else None
