"""What all tests stand on."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    # A job in the background inherits that Ctrl-C is ignored, and some tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
