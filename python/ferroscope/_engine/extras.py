"""The extras of the package: the check that a provider's SDK is installed."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import MissingExtraError


def require_sdk(module: str, *, extra: str) -> None:
    """Check that an SDK is installed, without importing it.

    Raises:
        ferroscope.errors.MissingExtraError: The SDK is not installed.
    """
    require_package(module, extra=extra, user="this provider")


def require_package(module: str, *, extra: str, user: str) -> None:
    """Check that a package is installed, without importing it.

    Args:
        module: The module to import from the package.
        extra: The extra of this package that installs it.
        user: The part of this package that needs it.

    Raises:
        ferroscope.errors.MissingExtraError: It is not installed.
    """
    try:
        found = find_spec(module) is not None
    except (ValueError, ImportError):  # its entry in `sys.modules` is blocked, or a parent package is missing
        found = False
    if not found:
        raise MissingExtraError(
            f"{user} needs the package {module!r}: install it with `pip install 'ferroscope[{extra}]'`",
            name=module,
        )
