"""Redaction of API keys in output, pickles and logs; callers pass keys among the parameters of a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "***"

# The attributes of a response that contain such parameters.
SECRET_FIELDS = frozenset({"call_params", "call_kwargs", "dynamic_config"})

_HEADERS = frozenset({"extra_headers", "headers", "http_headers", "default_headers"})
_KEYS = frozenset({"api_key", "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "azure_ad_token"})


# A prefix of keys and what follows it, also with a part masked by the provider; or a long word with digits. Ids of
# requests stay.
_KEY_IN_TEXT = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key)[-_][\w.*…-]{3,}|\bAIza[\w.*…-]{4,}|\bBearer\s+\S+|\b(?!req_)(?=\w*\d)\w{32,}"
)


def redact_text(text: str) -> str:
    """Return a text, such as that of a provider's error, with all words redacted that look like API keys."""
    return _KEY_IN_TEXT.sub(REDACTED, text)


def redact_secrets(value: Any) -> Any:  # Any: parameters of a call, in any provider's form
    """Return the parameters with header values and keys redacted."""
    if not isinstance(value, dict):
        return value
    return {name: _redacted(name, inner) for name, inner in value.items()}


def _redacted(name: object, value: Any) -> Any:
    if name in _HEADERS and isinstance(value, Mapping):
        return dict.fromkeys(value, REDACTED)
    if name in _KEYS and value is not None:
        return REDACTED
    return redact_secrets(value) if name == "call_params" else value
