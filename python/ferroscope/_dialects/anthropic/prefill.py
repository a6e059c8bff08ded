"""Requests whose last message is the beginning of the answer.

https://docs.claude.com/en/docs/build-with-claude/prompt-engineering/prefill-claudes-response
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..sdk_model import member

# Any: JSON, and messages as the SDK accepts them.


def prefilled(kwargs: Mapping[str, Any], text: str) -> dict[str, Any] | None:
    """Return a request that continues an answer; None if its other arguments exclude that.

    The API accepts neither thinking nor an output format beside the beginning of an answer, and no whitespace at its
    end.
    """
    thinking, output = kwargs.get("thinking"), kwargs.get("output_config")
    has_format = kwargs.get("output_format") is not None or member(output, "format") is not None
    if has_format or member(thinking, "type") in ("enabled", "adaptive"):
        return None
    beginning = text.rstrip()
    if not beginning:
        return dict(kwargs)
    messages = list(kwargs["messages"])
    last = messages[-1] if messages else None
    if isinstance(last, Mapping) and last.get("role") == "assistant":  # the program began the answer itself
        messages[-1] = {**last, "content": _extended(last["content"], beginning)}
    else:
        messages.append({"role": "assistant", "content": beginning})
    return {**kwargs, "messages": messages}


def _extended(content: Any, text: str) -> Any:
    if isinstance(content, str):
        return content + text
    blocks = list(content)
    if blocks and member(blocks[-1], "type") == "text":
        text, blocks = member(blocks[-1], "text") + text, blocks[:-1]
    return [*blocks, {"type": "text", "text": text}]
