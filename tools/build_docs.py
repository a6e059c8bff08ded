"""Build the documentation site into `target/docs/site`, and fail on a broken link or an undocumented public name.

    python tools/build_docs.py

All SDKs must be installed, since the pages of providers are made from the registry.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from docs_site import environment, markdown, pages, reference

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "target/docs/source"
SITE = ROOT / "target/docs/site"


def main() -> int:
    """Run the command and return its exit status."""
    try:
        pages.write(ROOT, SOURCES)
    except (pages.BrokenLinkError, environment.StaleDescriptionsError) as error:
        return failure([str(error)])
    if missing := reference.undocumented():
        return failure([f"{name} has no docstring" for name in missing])
    if unlisted := missing_from_navigation():
        return failure([f"mkdocs.yml: the page {page!r} is not in the navigation" for page in unlisted])
    built = subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=ROOT, check=False)
    if built.returncode:
        return built.returncode
    markdown.write(SOURCES, SITE)
    if absent := missing_from_reference():
        return failure([f"{name} is not in the reference" for name in absent])
    print(f"The site is in {SITE.relative_to(ROOT)}: python -m http.server -d {SITE.relative_to(ROOT)}")
    return 0


def failure(lines: list[str]) -> int:
    """Print what is wrong, and return the exit status."""
    print(*lines, sep="\n", file=sys.stderr)
    return 1


def missing_from_navigation() -> list[str]:
    """Return the pages, but those of the reference, that the navigation does not list."""
    listed = set(re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    return sorted({page.name for page in SOURCES.glob("*.md")} - listed)


def missing_from_reference() -> list[str]:
    """Return the public names for which the page of their module has no text."""
    missing = []
    for module in reference.public_modules():
        html = (SITE / "reference" / module.__name__ / "index.html").read_text(encoding="utf-8")
        names = [name for name in module.__all__ if not name.startswith("_")]
        names = [name for name in names if not isinstance(getattr(module, name), ModuleType)]
        missing += [f"{module.__name__}.{name}" for name in names if name not in html]
    return missing


if __name__ == "__main__":
    sys.exit(main())
