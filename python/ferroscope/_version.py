"""The version, as the installed distribution has it; it is written in `Cargo.toml` alone."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ferroscope")
except PackageNotFoundError:  # pragma: no cover - the sources on a path, never installed
    __version__ = "0.0.0"
