"""Explanations of exceptions that an SDK raises before or while it sends a request."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from .. import errors
from ..core.base._suggestions import near_name
from ..core.base.call_params import CommonCallParams
from .clients import Clients
from .common_errors import class_of_both

_ErrorT = TypeVar("_ErrorT", bound=BaseException)

_UNEXPECTED: Final = re.compile(r"unexpected keyword argument '(\w+)'")
_KEY_VARIABLE: Final = re.compile(r"KEY|TOKEN|CREDENTIAL|SECRET")
_ABOUT_KEYS: Final = re.compile(
    r"could not resolve authentication|credentials|api[ _]?key|auth[ _]?token", re.IGNORECASE
)


def add_note(error: _ErrorT, note: str) -> _ErrorT:
    """Add a note to an exception, once, and return the exception."""
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return error


def unknown_parameter(error: Exception, kwargs: Mapping[str, Any]) -> str | None:  # Any: arguments of an SDK's method
    """Return the argument that an SDK's method does not take; None if the exception is about something else."""
    if not isinstance(error, TypeError):
        return None
    found = _UNEXPECTED.search(str(error))
    return found[1] if found and found[1] in kwargs else None


def suggest_parameter(name: str, known: Iterable[str]) -> str:
    """Return what to write in place of an unknown call parameter."""
    near = near_name(name, {*known, *CommonCallParams.__annotations__} - {"self"})
    if near is not None:
        return f"`call_params` has the unknown parameter {name!r}: did you mean `{near}`?"
    return (
        f"`call_params` has the unknown parameter {name!r}: if the server takes it, write "
        f'`"extra_body": {{"{name}": ...}}`'
    )


def is_about_keys(error: Exception, clients: Clients, *, sent: bool) -> bool:
    """Return whether an exception is about an API key that is not set.

    Args:
        error: The exception.
        clients: The default clients of the provider.
        sent: Whether there was a client, so that its key may come from elsewhere than the environment.
    """
    # A `KeyError` is about another variable.
    if isinstance(error, errors.FerroscopeError | KeyError):
        return False
    return _ABOUT_KEYS.search(str(error)) is not None and (sent or not any(map(os.environ.get, key_variables(clients))))


def missing_key(error: Exception, provider: str, clients: Clients) -> Exception:
    """Return an exception as a `MissingApiKeyError` that is an instance of its own class too."""
    kind = class_of_both(errors.MissingApiKeyError, type(error))
    try:
        error.__class__ = kind  # the same object, with its attributes
        explained = error
    except TypeError:  # the classes of Python itself cannot be replaced
        explained = kind(str(error))
    variables = " or ".join(key_variables(clients))
    return add_note(explained, f"no API key for {provider!r}: set {variables or 'its variable'}, or pass `client=`")


def key_variables(clients: Clients) -> list[str]:
    """Return the environment variables that hold a provider's key."""
    return [name for name in clients.environment if _KEY_VARIABLE.search(name)]
