"""The errors of resumable streams."""

from __future__ import annotations

from ..errors import FerroscopeError


class StreamNotFoundError(FerroscopeError, LookupError):
    """There is no such stream for this owner. Missing, foreign and expired streams look the same.

    Attributes:
        status_code: The HTTP status to answer with, 404.
    """

    status_code = 404


class EventsGoneError(FerroscopeError, LookupError):
    """The store no longer has the events that a browser asks for.

    Attributes:
        status_code: The HTTP status to answer with, 410.
    """

    status_code = 410


class TooManyStreamsError(FerroscopeError):
    """As many answers are running as the service allows.

    Attributes:
        status_code: The HTTP status to answer with, 503.
    """

    status_code = 503
