"""The messages that calls to Cohere accept."""

from __future__ import annotations

from typing import Any, TypeAlias

from cohere import ChatMessageV2

from ..base.message_param import BaseMessageParam

# Any: JSON, which the SDK accepts in place of its models.
CohereMessageParam: TypeAlias = ChatMessageV2 | dict[str, Any] | BaseMessageParam
