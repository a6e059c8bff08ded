"""The version, as the compiled core has it; it is written in `Cargo.toml` alone."""

from __future__ import annotations

from ._core import __version__ as __version__
