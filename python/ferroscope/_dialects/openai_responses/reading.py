"""The content of the SDK's response object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ...core.base.types import FinishReason

# Any: the SDK's `Response`, or one like it, and its items.

_PARAGRAPH: Final = "\n\n"
_COMMON_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "completed": "stop",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}


def member(value: Any, name: str) -> Any:
    """Return a member of an SDK's object or of a mapping; None if there is none."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def items_of(response: Any, *kinds: str) -> list[Any]:
    """Return the output items of these types; all items if no type is given."""
    output = member(response, "output") or ()
    return [item for item in output if not kinds or member(item, "type") in kinds]


def parts_of(response: Any, kind: str) -> Iterator[Any]:
    """Yield the parts of that type in the messages."""
    for item in items_of(response, "message"):
        yield from (part for part in member(item, "content") or () if member(part, "type") == kind)


def text_of(response: Any) -> str:
    """Return the text of the messages."""
    return "".join(member(part, "text") or "" for part in parts_of(response, "output_text"))


def refusal_of(response: Any) -> str:
    """Return the refusal; empty if the model did not refuse."""
    return "".join(member(part, "refusal") or "" for part in parts_of(response, "refusal"))


def calls_of(response: Any) -> list[Any]:
    """Return the calls of the caller's functions."""
    return items_of(response, "function_call")


def thinking_of(response: Any) -> str:
    """Return the summaries of the reasoning, or the reasoning itself where a server sends it."""
    texts = []
    for item in items_of(response, "reasoning"):
        parts = [*(member(item, "summary") or ()), *(member(item, "content") or ())]
        texts += [member(part, "text") for part in parts]
    return _PARAGRAPH.join(text for text in texts if text)


def finish_reasons_of(response: Any) -> list[str]:
    """Return the reason why the response is incomplete, or else its status; empty while it is in progress."""
    status = member(response, "status")
    if status in (None, "", "queued", "in_progress"):
        return []
    reason = member(member(response, "incomplete_details"), "reason") if status == "incomplete" else None
    return [str(reason or status)]


def common_finish_reasons(reasons: Sequence[str] | None, *, calls: bool) -> list[FinishReason] | None:
    """Return finish reasons in common terms; None if none of them is known."""
    known: list[FinishReason] = [
        _COMMON_FINISH_REASONS[reason] for reason in reasons or () if reason in _COMMON_FINISH_REASONS
    ]
    if calls and known == ["stop"]:
        return ["tool_calls"]
    return known or None
