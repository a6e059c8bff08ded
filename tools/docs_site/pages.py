"""The sources of the site: the written pages with mended links, and the generated ones."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from . import environment, reference, start

# Pages of the repository's root that are pages of the site too.
ROOT_PAGES = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
URL = re.compile(r"^[a-z]+:")


class BrokenLinkError(Exception):
    """A link leads to no page of the site."""


def write(root: Path, target: Path) -> None:
    """Write the sources of the site.

    Args:
        root: The repository.
        target: The folder of the sources. It is emptied first.

    Raises:
        BrokenLinkError: A relative link leads to no page.
        environment.StaleDescriptionsError: A variable is not described.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / "docs", target)
    for source, name in ROOT_PAGES.items():
        (target / name).write_text((root / source).read_text(encoding="utf-8"), encoding="utf-8")
    (target / "environment.md").write_text(environment.page(root / "python/ferroscope"), encoding="utf-8")
    (target / "start.md").write_text(start.page(), encoding="utf-8")
    (target / "reference").mkdir()
    (target / "reference/index.md").write_text(reference.index(), encoding="utf-8")
    for module in reference.public_modules():
        (target / "reference" / f"{module.__name__}.md").write_text(reference.page_of(module), encoding="utf-8")
    for page in target.rglob("*.md"):
        page.write_text(_with_site_links(page, target), encoding="utf-8")


def _with_site_links(page: Path, target: Path) -> str:
    """Return the text of a page. Links between the root and `docs` become links between neighbours."""
    text = page.read_text(encoding="utf-8")
    fences = re.split(r"(^```.*?^```$)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(
        part if part.startswith("```") else LINK.sub(lambda m: _link(m, page, target), part) for part in fences
    )


def _link(match: re.Match[str], page: Path, target: Path) -> str:
    label, link = match.groups()
    path, mark, anchor = link.partition("#")
    if URL.match(link) or not path:
        return match[0]
    path = path.removeprefix("../").removeprefix("docs/")
    path = ROOT_PAGES.get(path, "start.md" if path == "README.md" else path)
    if not (page.parent / path).exists() and not (target / path).exists():
        if path.endswith(".md"):
            raise BrokenLinkError(f"{page.name}: the link {link!r} leads to no page of the site")
        return f"`{label.strip('`')}`"  # a file of the repository, which the site does not have
    return f"[{label}]({path}{mark}{anchor})"
