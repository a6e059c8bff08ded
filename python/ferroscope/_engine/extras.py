"""The extras of the package: the check that a provider's SDK is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from ..errors import MissingExtraError


def require_sdk(module: str, *, extra: str) -> None:
    """Check that an SDK is installed, without importing it.

    Raises:
        ferroscope.errors.MissingExtraError: The SDK is not installed.
    """
    require_package(module, extra=extra, user="this provider")


def require_any_sdk(extras: Mapping[str, str]) -> None:
    """Check that one of a provider's SDKs is installed, without importing it.

    Args:
        extras: The SDKs, the recommended one first: the module of each, and the extra that installs it.

    Raises:
        ferroscope.errors.MissingExtraError: None of them is installed.
    """
    if not any(map(_is_installed, extras)):
        choices = " or ".join(f"`pip install 'ferroscope[{extra}]'`" for extra in extras.values())
        needed = " or ".join(map(repr, extras))
        raise MissingExtraError(
            f"this provider needs the package {needed}: install it with {choices}", name=next(iter(extras))
        )


def require_package(module: str, *, extra: str, user: str) -> None:
    """Check that a package is installed, without importing it.

    Args:
        module: The module to import from the package.
        extra: The extra of this package that installs it.
        user: The part of this package that needs it.

    Raises:
        ferroscope.errors.MissingExtraError: It is not installed.
    """
    if not _is_installed(module):
        raise MissingExtraError(
            f"{user} needs the package {module!r}: install it with `pip install 'ferroscope[{extra}]'`",
            name=module,
        )


def unusable_reason(error: ImportError, module: str, *, extra: str) -> str | None:
    """Return the reason that an installed SDK cannot be imported; None if it is not installed.

    Args:
        error: The error of the import.
        module: The module of the SDK. The name of its package is that name with hyphens.
        extra: The extra that installs it.
    """
    from importlib.metadata import PackageNotFoundError, version

    missing = error.name or "" if isinstance(error, ModuleNotFoundError) else None
    package = module.replace(".", "-")
    try:
        installed = version(package)
    except PackageNotFoundError:
        return None
    if missing is not None and module.startswith(missing):
        return None
    reason = "is too old" if missing is None or missing.startswith(module) else f"needs {missing!r}"
    return f"{package} {installed} {reason}: pip install --upgrade 'ferroscope[{extra}]'"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ValueError, ImportError):  # its entry in `sys.modules` is blocked, or a parent package is missing
        return False
