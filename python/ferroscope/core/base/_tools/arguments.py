"""The validation of tool call arguments, with precise error messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from ...._core import JsonError, PartialJson
from ....errors import ToolArgumentsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_ModelT = TypeVar("_ModelT", bound=BaseModel)

# The position in pydantic-core's JSON errors; the column counts bytes, from 1.
_PLACE: Final = re.compile(r" at line (\d+) column (\d+)$")
_EXCERPT_BYTES: Final = 24
_LONGEST_EMPTY: Final = 64


CUT_OFF: Final = frozenset({"length", "content_filter"})
"""The common finish reasons of a response that was cut off."""


def is_empty(arguments: str) -> bool:
    """Return whether the arguments are empty: no text, `null` or an empty object."""
    return len(arguments) < _LONGEST_EMPTY and "".join(arguments.split()) in ("", "null", "{}")


def arguments_text(arguments: object) -> str:
    """Return the arguments of an SDK's tool call as JSON text; some servers send an object instead of text."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return to_json(arguments).decode()


def cut_off_error(call_id: str | None, name: str, arguments: str, reason: str) -> ToolArgumentsError:
    """Return the error for a tool call in a response that was cut off.

    Args:
        call_id: The provider's id of the call.
        name: The name of the tool.
        arguments: The arguments received so far.
        reason: The finish reason of the response.
    """
    return ToolArgumentsError(
        f"tool {name!r}, call {call_id!r}: the response was cut off before the arguments were complete ({reason})",
        name=name,
        call_id=call_id,
        arguments=arguments,
    )


def failed_response_error(call_id: str | None, name: str, arguments: str, reason: str) -> ToolArgumentsError:
    """Return the error for a tool call in a response that was blocked or malformed.

    Args:
        call_id: The provider's id of the call.
        name: The name of the tool.
        arguments: The arguments of the call.
        reason: The provider's finish reason.
    """
    return ToolArgumentsError(
        f"tool {name!r}, call {call_id!r}: the response failed ({reason}), so the call may be incomplete or blocked; "
        "do not run it",
        name=name,
        call_id=call_id,
        arguments=arguments,
    )


def raise_if_failed(calls: Sequence[tuple[str | None, str, str]], reason: str | None) -> None:
    """Raise an error for the tool calls of a response that was blocked or malformed.

    Args:
        calls: The id, name and arguments of each call.
        reason: The provider's finish reason; None if the response did not fail.

    Raises:
        ToolArgumentsError: There is a reason and at least one call.
    """
    for call_id, name, arguments in calls if reason else ():
        raise failed_response_error(call_id, name, arguments, reason or "")


def raise_if_cut_off(calls: Sequence[tuple[str | None, str, str]], reason: str | None) -> None:
    """Raise an error for calls without arguments in a response that was cut off, possibly before the arguments.

    Args:
        calls: The id, name and arguments of each call.
        reason: The finish reason of the response; None if it is complete.

    Raises:
        ToolArgumentsError: The last call has no arguments, or an earlier call has no arguments text.
    """
    for position, (call_id, name, arguments) in enumerate(calls if reason else ()):
        # An empty object is complete if another call follows it.
        if is_empty(arguments) and (position == len(calls) - 1 or not arguments.strip()):
            raise cut_off_error(call_id, name, arguments, reason or "")


def validate_arguments(tool: type[_ModelT], *, call_id: str | None, name: str, arguments: str | bytes) -> _ModelT:
    """Return the tool with the validated arguments of one call.

    Empty arguments (no text, white space, or `null`, which some servers send) count as `{}`.

    Raises:
        ToolArgumentsError: The arguments are not a JSON object.
        pydantic.ValidationError: The arguments do not match the tool's fields. Notes on the exception contain the
            tool, the call and the raw arguments.
    """
    # Most arguments begin with a brace; only the others need the second check.
    if arguments[:1] not in ("{", b"{") and arguments.strip() in ("", b"", "null", b"null"):
        arguments = b"{}"
    try:
        return tool.__pydantic_validator__.validate_json(arguments)  # type: ignore[no-any-return]
    except ValidationError as error:
        _raise_explained(error, call_id=call_id, name=name, arguments=arguments)


def read_partial(arguments: str, *, call_id: str | None, name: str) -> dict[str, object]:
    """Return the values of incomplete arguments: strings as received so far, other values when complete.

    Raises:
        ToolArgumentsError: The arguments are not the beginning of a JSON object.
    """
    parser = PartialJson(root="object")
    try:
        parser.feed(arguments)
    except JsonError as error:
        raise ToolArgumentsError(
            f"tool {name!r}, call {call_id!r}: the arguments are not valid JSON: {error}",
            name=name,
            call_id=call_id,
            arguments=arguments,
        ) from error
    return parser.value if isinstance(parser.value, dict) else {}


def known_values(arguments: str) -> object:
    """Return the values in incomplete JSON text; text that is not JSON becomes the value of `arguments`."""
    if not arguments.strip():
        return {}
    document = PartialJson("trailing-strings")
    try:
        document.feed(arguments)
    except ValueError:
        return {"arguments": arguments}
    return document.value


def _raise_explained(error: ValidationError, *, call_id: str | None, name: str, arguments: str | bytes) -> NoReturn:
    raw = arguments if isinstance(arguments, str) else arguments.decode("utf-8", "backslashreplace")
    call = f"tool {name!r}, call {call_id!r}"
    first = error.errors(include_url=False, include_input=False)[0]
    if not first["loc"] and (reason := _invalid_json_reason(first, raw)):
        raise ToolArgumentsError(f"{call}: {reason}", name=name, call_id=call_id, arguments=raw) from error
    error.add_note(f"{call}: the arguments do not match the tool's schema")
    error.add_note(f"arguments: {raw}")
    raise error


def _invalid_json_reason(detail: ErrorDetails, raw: str) -> str | None:
    if detail["type"] == "model_type":
        return "the arguments are JSON, but not an object"
    if detail["type"] != "json_invalid":
        return None
    problem = str(detail.get("ctx", {}).get("error", detail["msg"]))
    place = _PLACE.search(problem)
    if place is None:
        return f"the arguments are not valid JSON: {problem}"
    line, column = int(place[1]), int(place[2])
    encoded = raw.encode("utf-8", "surrogatepass")
    line_start = sum(len(text) + 1 for text in encoded.split(b"\n")[: line - 1])
    at = len(encoded) if problem.startswith("EOF") else min(line_start + column - 1, len(encoded))
    before = encoded[max(at - _EXCERPT_BYTES, 0) : at].decode("utf-8", "replace")
    return (
        f"the arguments are not valid JSON: {problem[: place.start()]} "
        f"at byte {at} (line {line}, column {column}), after {before!r}"
    )
