"""The second request after an answer that does not fit the response model. It describes the error to the model."""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError

from ..core.base._prompts.plan import ResolvedPrompt
from ..core.base.call_response import AnyCallResponse
from ..core.base.message_param import BaseMessageParam, ToolCallPart, ToolResultPart
from ..errors import ResponseModelError, ToolError
from .call import Call

# The finish reasons after which another attempt would end in the same way.
_FINAL: Final = ("length", "content_filter")


def invalid_answer(error: Exception) -> AnyCallResponse | None:
    """Return the response whose answer does not fit its response model; None if the failure is another one."""
    response: AnyCallResponse | None = getattr(error, "_response", None)
    if response is None or not isinstance(error, ValidationError | ResponseModelError | ToolError):
        return None
    reasons = response.common_finish_reasons
    return None if reasons and reasons[0] in _FINAL else response


def correction(call: Call, error: Exception, response: AnyCallResponse) -> ResolvedPrompt:
    """Return the prompt that asks the model to correct its answer.

    Every tool call of the answer gets a result, because providers require it. The results come before any text.
    """
    text = f"{_described(error)}\n\nAnswer again, with this corrected."
    results = [
        ToolResultPart(type="tool_result", name=part.name, id=part.id, content=text, is_error=True)
        for part in _parts(response)
        if isinstance(part, ToolCallPart)
    ]
    request: Any = BaseMessageParam(role="tool", content=results)
    if not results:
        request = BaseMessageParam(role="user", content=text)
    answer = response.message_param if results or response.content else None
    messages = [*call.prompt.messages, *([] if answer is None else [answer]), request]
    return ResolvedPrompt(messages, call.prompt.config, call.prompt.fn_args)


def _parts(response: AnyCallResponse) -> Any:  # Any: parts, or the characters of a text
    return response.common_message_param.content


def _described(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"The answer is not valid: {error}"
    lines = ["The answer is not valid:"]
    for one in error.errors(include_url=False, include_context=False):
        place = ".".join(map(str, one["loc"])) or "the value"
        lines.append(f"- {place}: {one['msg']}")
    return "\n".join(lines)
