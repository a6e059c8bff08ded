"""The page of environment variables."""

from __future__ import annotations

import re
from pathlib import Path

from ferroscope.core._registry import provider_names, provider_record

VARIABLE = re.compile(r"[\"'](FERROSCOPE_[A-Z_]+)[\"']")
DESCRIPTIONS = Path(__file__).parent / "environment.tsv"


class StaleDescriptionsError(Exception):
    """The variables of the sources differ from the described ones."""


def page(package: Path) -> str:
    """Return the Markdown of the page.

    Args:
        package: The folder of the package's sources.

    Raises:
        StaleDescriptionsError: A variable has no description, or a description has no variable.
    """
    described = dict(line.split("\t") for line in DESCRIPTIONS.read_text(encoding="utf-8").splitlines())
    used = {name for path in package.rglob("*.py") for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    if used != described.keys():
        raise StaleDescriptionsError(
            f"{DESCRIPTIONS.name} lacks {sorted(used - described.keys())} "
            f"and describes {sorted(described.keys() - used)}, which nothing reads"
        )
    return "\n".join(
        [
            "# Environment variables",
            "",
            "Ferroscope reads an environment variable when it needs the value, not at import.",
            "",
            "| variable | effect |",
            "|---|---|",
            *(f"| `{name}` | {text} |" for name, text in sorted(described.items())),
            "",
            "## Providers",
            "",
            "The SDK of a provider reads these variables. A default client is created again when one of them changes.",
            "",
            "| provider | variables |",
            "|---|---|",
            *_provider_rows(),
            "",
        ]
    )


def _provider_rows() -> list[str]:
    rows = []
    for name in provider_names():
        record = provider_record(name)
        records = [record, *record.alternatives]
        variables = dict.fromkeys(variable for each in records for variable in each.clients.environment)
        rows.append(f"| `{name}` | {', '.join(f'`{variable}`' for variable in variables) or 'none'} |")
    return rows
