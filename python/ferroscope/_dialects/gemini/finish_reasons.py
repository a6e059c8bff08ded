"""Finish reasons of Gemini in common terms.

https://ai.google.dev/api/generate-content#FinishReason
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ...core.base.types import FinishReason

# Any: the SDK's response, or one like it.

_COMMON: Final[dict[str, FinishReason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "JAILBREAK",
            "MODEL_ARMOR",
        ),
        "content_filter",
    ),
}
_UNSPECIFIED: Final = frozenset({"FINISH_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED"})
# With any other finish reason, function calls are malformed or unwanted and must not run.
_RUNNABLE: Final = frozenset({"STOP", "MAX_TOKENS"})


def finish_reasons(response: Any) -> list[str]:
    """Return the finish reason of each candidate, or else the reason why the prompt was blocked."""
    reasons = [word(candidate.finish_reason) for candidate in response.candidates or ()]
    ended = [reason for reason in reasons if reason and reason not in _UNSPECIFIED]
    return ended or ([reason] if (reason := block_reason(response)) else [])


def block_reason(response: Any) -> str:
    """Return the reason why the prompt was blocked; empty if it was not."""
    reason = word(getattr(response.prompt_feedback, "block_reason", None))
    return "" if reason in _UNSPECIFIED else reason


def word(value: Any) -> str:
    """Return the API's word for a member of an enum of the SDK; empty for None."""
    return "" if value is None else str(getattr(value, "value", value))


def are_runnable(reasons: Sequence[str]) -> bool:
    """Return whether the function calls of a response with these finish reasons may run."""
    return not reasons or reasons[0] in _RUNNABLE


def common_finish_reasons(reasons: Sequence[str] | None, *, blocked: bool, calls: bool) -> list[FinishReason] | None:
    """Return finish reasons in common terms; None if none of them is known.

    The API has no finish reason of its own for an answer with function calls.

    Args:
        reasons: The API's finish reasons.
        blocked: Whether the prompt was blocked, so that `reasons` has the block reason.
        calls: Whether there are function calls.
    """
    if blocked:
        return ["content_filter"]
    common: list[FinishReason] = [_COMMON[reason] for reason in reasons or () if reason in _COMMON]
    if calls and common and common[0] == "stop":
        common[0] = "tool_calls"
    return common or None
