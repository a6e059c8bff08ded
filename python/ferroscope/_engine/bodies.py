"""Detection of bodies that are not JSON. The SDKs report them with the exceptions of their JSON readers."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Final

from pydantic_core import from_json

# Any: JSON.

_EXCERPT: Final = 80
_RESPONSES: Final = ("response", "_response")


def body_error(error: Exception) -> str | None:
    """Return the error message for a body that an SDK could not read as JSON; None for any other exception."""
    if isinstance(error, json.JSONDecodeError):
        place = f" ({error.msg} at character {error.pos})" if error.doc else ""
        return f"the body is not a response; it {begins_with(error.doc)}{place}"
    if isinstance(error, UnicodeDecodeError):
        found = begins_with(error.object.decode(errors="replace"))
        return f"the body is not a response; it {found} (invalid UTF-8 at byte {error.start}: {error.reason})"
    # The stack may overflow elsewhere too. Only an overflow in a JSON reader is about the body.
    if isinstance(error, RecursionError) and _is_json_reader(error.__traceback__):
        return "the body is not a response; its JSON is nested too deeply"
    return None


def successful_body(error: Exception) -> dict[str, Any] | None:
    """Return the JSON object in a successful response that an SDK refused; None for any other exception."""
    status, body = getattr(error, "status_code", None), getattr(error, "body", None)
    if not isinstance(status, int) or not 200 <= status < 300 or not isinstance(body, str):
        return None
    found = json_object(body)
    return found if isinstance(found, dict) else None


def refused_body(error: Exception) -> str | None:
    """Return the body of a successful response on whose form an SDK failed; None for any other exception.

    Some SDKs read JSON of another form than they expect with errors such as `TypeError`, which do not have the body.
    The response is a variable of the SDK's function then.
    """
    if not isinstance(error, TypeError | AttributeError | LookupError | ValueError):
        return None
    found = None
    traceback = error.__traceback__
    while traceback is not None:
        for name in _RESPONSES:
            response = traceback.tb_frame.f_locals.get(name)
            text = getattr(response, "text", None) or getattr(response, "body", None)
            if isinstance(text, str) and getattr(response, "status_code", 200) == 200:
                found = text
        traceback = traceback.tb_next
    return found


def json_object(body: object) -> object:
    """Return the object in a body (JSON text, or an SDK's value), or the first of a list; None if there is none."""
    if isinstance(body, str):
        try:
            body = from_json(body)
        except ValueError:
            return None
    first = body[0] if isinstance(body, list) and body else body
    return None if isinstance(first, str | int | float | list) else first


def begins_with(text: str) -> str:
    """Return the beginning of a body, for an error message."""
    return f"begins with {text[:_EXCERPT]!r}" if text else "is empty"


def _is_json_reader(traceback: TracebackType | None) -> bool:
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = "" if traceback is None else traceback.tb_frame.f_globals.get("__name__", "")
    return str(module).partition(".")[0] == "json"
