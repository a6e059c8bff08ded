"""One tree of exceptions for all SDKs: an SDK's exception also becomes an instance of Ferroscope's class.

It remains the object that the SDK raised, with its request, response, body and traceback. Only its class is replaced
by one that extends both, because an `except` clause checks only the bases of a class.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final, TypeVar, cast

from .. import errors
from ..core.base._responses.secrets import redact_secrets

_ErrorT = TypeVar("_ErrorT", bound=Exception)

# The SDKs from one generator (openai, anthropic, groq, ...) share these names.
_BY_NAME: Final[dict[str, type[errors.APIError]]] = {
    kind.__name__: kind
    for kind in (
        errors.APIConnectionError,
        errors.APIError,
        errors.APIStatusError,
        errors.APITimeoutError,
        errors.AuthenticationError,
        errors.BadRequestError,
        errors.ConflictError,
        errors.InternalServerError,
        errors.NotFoundError,
        errors.PermissionDeniedError,
        errors.RateLimitError,
        errors.UnprocessableEntityError,
    )
} | {
    # httpx and httpx2, whose exceptions some SDKs do not wrap
    "TimeoutException": errors.APITimeoutError,
    "TransportError": errors.APIConnectionError,
}
_NAMES_OF_SDKS: Final[dict[str, dict[str, type[errors.APIError]]]] = {}
_HTTP_LIBRARIES: Final = ("httpx", "httpx2")

_BY_STATUS: Final[dict[int, type[errors.APIError]]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
}


def name_errors(sdk: str, names: Mapping[str, str]) -> None:
    """Register the names of an SDK's exceptions: the SDK's class, and the class in `ferroscope.errors`."""
    known = _NAMES_OF_SDKS.setdefault(sdk.partition(".")[0], {})
    known.update({sdk_class: getattr(errors, own_class) for sdk_class, own_class in names.items()})


def unify_exception(error: Exception, sdk: str) -> None:
    """Make an SDK's exception an instance of the matching class in `ferroscope.errors` too. Ignore other exceptions."""
    kind = type(error)
    if kind.__module__.partition(".")[0] not in (sdk.partition(".")[0], *_HTTP_LIBRARIES):
        return
    if isinstance(error, errors.FerroscopeError):
        return
    status = _status(error)
    own_class = common_class(kind)
    # A generic exception class may hide a more specific status.
    if status is not None and own_class in (None, errors.APIError, errors.APIStatusError):
        own_class = _BY_STATUS.get(status, errors.InternalServerError if status >= 500 else errors.APIStatusError)
    if own_class is None:
        return
    try:
        error.__class__ = class_of_both(own_class, kind)
    except TypeError:
        return  # the memory layouts of the classes differ, so the error keeps its class
    if isinstance(error, errors.APIStatusError) and not hasattr(error, "status_code") and status is not None:
        error.status_code = status


def common_class(sdk_class: type[Exception]) -> type[errors.APIError] | None:
    """Return the class in `ferroscope.errors` for an SDK's class, by the name of the class or one of its bases."""
    names = _names(sdk_class)
    return next((names[base.__name__] for base in sdk_class.__mro__ if base.__name__ in names), None)


def _names(sdk_class: type[Exception]) -> dict[str, type[errors.APIError]]:
    return _BY_NAME | _NAMES_OF_SDKS.get(sdk_class.__module__.partition(".")[0], {})


def _status(error: Exception) -> int | None:
    """Return the HTTP status that an exception carries."""
    for status in (getattr(error, "status_code", None), getattr(error, "code", None)):
        if isinstance(status, int) and status >= 400:
            return status
    return None


_known: dict[tuple[type[Exception], type[Exception]], type[Exception]] = {}
_origin: dict[type[Exception], tuple[type[Exception], type[Exception]]] = {}


def class_of_both(own_class: type[_ErrorT], sdk_class: type[Exception]) -> type[_ErrorT]:
    """Return a class that extends both classes, and the common class of the second. It is created once."""
    kind = _known.get((own_class, sdk_class))
    if kind is None:
        common = common_class(sdk_class)
        between = () if common is None or issubclass(own_class, common) else (common,)
        namespace: dict[str, object] = {
            "__module__": own_class.__module__,
            "__doc__": own_class.__doc__,
            "__reduce__": _reduce,
        }
        if issubclass(own_class, errors.StreamError):
            # the text includes the position; some SDKs would print their attributes instead
            namespace["__str__"] = Exception.__str__
        kind = _known[own_class, sdk_class] = type(own_class.__name__, (own_class, *between, sdk_class), namespace)
        _origin[kind] = own_class, sdk_class
    return cast("type[_ErrorT]", kind)


# They refer to connections and the caller's key. Those of azure-core also refer to frames.
_NOT_PICKLED = (
    "_request",
    "raw_response",
    "request",
    "response",
    "exc_traceback",
    "exc_value",
    "inner_exception",
)


_PICKLED_ARGS = (str, int, float, dict, list)


def _reduce(error: Exception) -> tuple[object, ...]:
    """Reduce an exception for a pickle, without its request and response."""
    state = {name: None if name in _NOT_PICKLED else value for name, value in vars(error).items()}
    args = tuple(arg if isinstance(arg, _PICKLED_ARGS) else None for arg in error.args)
    own_class, sdk_class = _origin[type(error)]
    # Some SDKs create classes at run time, which cannot be imported by name.
    named = next(kind for kind in sdk_class.__mro__ if _is_importable(kind))
    return _rebuilt, (own_class, named, args, redact_secrets(state))


def _is_importable(kind: type) -> bool:
    return getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind


def _rebuilt(
    own_class: type[Exception], sdk_class: type[Exception], args: tuple[object, ...], state: dict[str, object]
) -> Exception:
    kind = class_of_both(own_class, sdk_class)
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error
