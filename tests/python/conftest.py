"""What all tests stand on."""

from __future__ import annotations

import os
import signal

# When it is imported, litellm looks for a `.env` in this folder and all above it, and fetches a table.
os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
# It ends a stream whose chunks are all the same, as those of many tests are.
os.environ.setdefault("REPEATED_STREAMING_CHUNK_LIMIT", "1000000")

# Logfire's plugin for pydantic would import it, and OpenTelemetry's SDK, in every process that makes a model.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "logfire-plugin")


def pytest_configure() -> None:
    # A job in the background inherits that Ctrl-C is ignored, and some tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
