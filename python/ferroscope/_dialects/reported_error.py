"""Errors that a server reports in the body of a successful response (status 200)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import to_json

from .._engine.dialect import ReportedError
from .sdk_model import has_attribute, member

# Any: the SDK's objects and the JSON inside them.

# Members that contain the text of an error in a body without an answer, in order of preference.
_MESSAGES: Final = ("detail", "message", "msg", "error_message", "errors")
_EXCERPT: Final = 200


def find_error(body: Any) -> ReportedError | None:
    """Return the error in a body or in a part of it, in the forms `{"error": ...}` and `{"object": "error"}`."""
    if isinstance(body, BaseModel) and not body.__pydantic_extra__ and _has_only_fields(type(body)):
        values = body.__dict__
        if not values.get("error") and values.get("object") != "error" and values.get("type") != "error":
            return None  # as nearly always
    # Read the object first: its `error` may be a word that names the kind.
    kinds = (member(body, "object"), member(body, "type"))
    if "error" in kinds and not member(body, "error"):
        return reported(body)
    if error := member(body, "error"):
        return reported(error)
    return None


@lru_cache(maxsize=1024)
def _has_only_fields(kind: type[BaseModel]) -> bool:
    """Return whether the members that `find_error` reads can only be fields of a class."""
    return not any(has_attribute(kind, name) for name in ("error", "object", "type"))


def missing_answer(body: Any, name: str) -> ReportedError:
    """Return the error of a body without the member that holds the answer. Its message quotes the body."""
    for text in _MESSAGES:
        if value := member(body, text):
            return ReportedError(_text_of(value), _plain(body))
    plain = _plain(body)
    shown = to_json(plain, fallback=repr).decode()
    excerpt = shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT]}…"
    return ReportedError(f"the body is not a response: it has no {name}; it is {excerpt}", plain)


def reported(error: Any) -> ReportedError:
    """Return an error in one of the forms in use: an object with a message, or a text."""
    plain = _plain(error)
    message = next((value for name in _MESSAGES if (value := member(error, name))), None)
    return ReportedError(_text_of(plain if message is None else message), plain)


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else to_json(_plain(value), fallback=repr).decode()


def _plain(value: Any) -> Any:
    """Return the JSON of an SDK's object."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True, warnings=False)
    return dict(value) if isinstance(value, Mapping) else value
