"""The message of the user that a request ends with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def last_user_message(messages: Sequence[Any]) -> Any:  # Any: messages in a provider's own form
    """Return the last message if its role is `user`; None otherwise."""
    last = messages[-1] if messages else None
    return last if role_of(last) == "user" else None


def role_of(message: Any) -> Any:  # Any: a dict or an SDK's model
    """Return the role of a message in any provider's form."""
    return message.get("role") if isinstance(message, dict) else getattr(message, "role", None)
