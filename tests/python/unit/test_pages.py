"""The pages of the repository: links lead somewhere, and the paths that they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "AGENTS.md"]
# Paths in the text are relative to one of these.
BASES = [ROOT, ROOT / "python/ferroscope", ROOT / "rust/ferroscope-core/src", ROOT / "tests/python/contract"]
SUFFIXES = (".py", ".rs", ".md", ".toml", ".tsv", "/")


def paths_of(text: str) -> list[str]:
    """Return the paths in code spans, without patterns and placeholders."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([\w./-]+)`", prose)
    return [span for span in spans if "/" in span and span.endswith(SUFFIXES)]


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_to_files(page: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_paths_that_a_page_names_exist(page: str) -> None:
    paths = paths_of((ROOT / page).read_text())
    assert [path for path in paths if not any((base / path).exists() for base in BASES)] == []


def test_the_server_of_the_architecture_page_can_be_registered_and_removed() -> None:
    from ferroscope import unregister_provider
    from ferroscope.core._registry import provider_record

    text = (ROOT / "ARCHITECTURE.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    exec(compile(example, "ARCHITECTURE.md", "exec"), {"__name__": "architecture"})
    try:
        record = provider_record("acme")
        assert (record.name, record.quirks.reasoning_fields) == ("acme", ("thoughts",))
    finally:
        unregister_provider("acme")
