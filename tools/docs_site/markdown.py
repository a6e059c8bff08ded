"""The Markdown copies of the pages, and `llms.txt`, which lists them (https://llmstxt.org)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

SUMMARY = (
    "Ferroscope is a Python library with a Rust core for calling large language models through decorated functions. "
    "Its API is that of Mirascope v1."
)


def write(sources: Path, site: Path) -> None:
    """Copy each page of the sources beside its HTML, and write `llms.txt` and `llms-full.txt`.

    Args:
        sources: The folder of the Markdown pages.
        site: The folder of the built site.
    """
    pages = sorted(page.relative_to(sources) for page in sources.rglob("*.md"))
    for page in pages:
        (site / page).parent.mkdir(exist_ok=True, parents=True)
        shutil.copyfile(sources / page, site / page)
    written = [page for page in pages if page.parts[0] != "reference"]
    listed = ["# Ferroscope", "", f"> {SUMMARY}", "", "## Pages", ""]
    listed += [f"- [{title(sources / page)}]({page.as_posix()})" for page in written]
    listed += ["", "## Reference", ""]
    listed += [f"- [{title(sources / page)}]({page.as_posix()})" for page in pages if page not in written]
    (site / "llms.txt").write_text("\n".join([*listed, ""]), encoding="utf-8")
    whole = "\n\n".join((sources / page).read_text(encoding="utf-8").strip() for page in written)
    (site / "llms-full.txt").write_text(f"{whole}\n", encoding="utf-8")


def title(page: Path) -> str:
    """Return the first heading of a page."""
    found = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else page.stem
