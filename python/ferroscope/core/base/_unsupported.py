"""What a provider's own message says and the common form has no part for, when the message moves to another provider.

It stays in the common message twice: as it came, in the extra field that is named after its wire format, and by
its kinds, in the extra field `unsupported`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .message_param import BaseMessageParam

UNSUPPORTED: Final = "unsupported"


def drop_unsupported(
    messages: Iterable[Any], wire_format: str
) -> list[Any]:  # Any: a provider's own messages pass through
    """The messages that can be said in a wire format.

    A model's answer may lose what only its own provider understands; one of which nothing is left is left out.

    Raises:
        ValueError: A message of somebody else would lose content.
    """
    return [message for message in messages if not _is_lost(message, wire_format)]


def _is_lost(message: Any, wire_format: str) -> bool:
    extra = (message.__pydantic_extra__ or {}) if isinstance(message, BaseMessageParam) else {}
    if not extra.get(UNSUPPORTED) or wire_format in extra:
        return False
    if message.role == "assistant":
        return not message.content
    raise ValueError(
        f"a message of the role {message.role!r} has content that only its own provider understands "
        f"({', '.join(extra[UNSUPPORTED])}) and cannot be sent in the format {wire_format!r}: use parts "
        "that both providers have (text, images, documents), or leave it out of what this provider is sent"
    )
