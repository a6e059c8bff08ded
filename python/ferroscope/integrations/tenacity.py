"""The old place of `ferroscope.retries.tenacity`."""

from __future__ import annotations

import warnings

from ..retries.tenacity import collect_errors as collect_errors

warnings.warn(
    "`ferroscope.integrations.tenacity` is now `ferroscope.retries.tenacity`; the old name will be removed.",
    UserWarning,
    stacklevel=2,
)
