"""Write the table of providers in `README.md` from the registry.

    python tools/readme_providers.py            # write the table
    python tools/readme_providers.py --check    # exit with 1 if the table is stale

The SDKs of all providers must be installed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

from ferroscope.core._registry import provider_names, provider_record
from ferroscope.core._servers import SERVERS

ROOT = Path(__file__).parents[1]
BEGIN = "<!-- providers: made by tools/readme_providers.py -->"
END = "<!-- end of providers -->"
PER_ROW = 3
KEY = re.compile(r"_(KEY|TOKEN|CREDENTIAL|ACCESS_KEY_ID)$")


def extras_of(name: str) -> list[str]:
    """Return the extras of `pyproject.toml` that install what a provider needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [extra for extra in project["optional-dependencies"] if extra == name or extra.startswith(f"{name}-")]
    if not extras:
        raise SystemExit(f"pyproject.toml has no extra for the provider {name!r}")
    return extras


def key_variables(name: str) -> list[str]:
    """Return the environment variables from which a provider's default clients read a key."""
    record = provider_record(name)
    records = [record, *record.alternatives]
    names = dict.fromkeys(variable for each in records for variable in each.clients.environment)
    return [variable for variable in names if KEY.search(variable)]


def code(names: list[str], if_none: str = "") -> str:
    """Return names as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names) or if_none


def packages() -> list[str]:
    """Return the table of the providers with a package."""
    names = [name for name in provider_names() if name not in SERVERS]
    rows = [
        f"| `{name}` | {code(extras_of(name))} | {code(key_variables(name), 'read by the SDK')} |" for name in names
    ]
    return ["| provider | extra | API key |", "|---|---|---|", *rows]


def servers() -> list[str]:
    """Return the table of the OpenAI-compatible servers, several in each row."""
    cells = [f"`{name}` | {code(key_variables(name), 'no key')}" for name in sorted(SERVERS)]
    cells += [" | "] * (-len(cells) % PER_ROW)
    rows = [f"| {' | '.join(cells[start : start + PER_ROW])} |" for start in range(0, len(cells), PER_ROW)]
    return [f"|{' server | API key |' * PER_ROW}", f"|{'---|---|' * PER_ROW}", *rows]


def table() -> str:
    """Return the text between the markers."""
    return "\n".join([*packages(), "", "OpenAI-compatible servers, with the extra `openai`:", "", *servers()])


def with_table(text: str) -> str:
    """Return the text of the README with the current table between the markers.

    Raises:
        ValueError: A marker is missing.
    """
    before, found, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"README.md needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description="Write the table of providers in README.md from the registry.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the table is stale")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", help="the file (default: README.md)")
    chosen = parser.parse_args()
    text = chosen.readme.read_text(encoding="utf-8")
    current = with_table(text)
    if text == current:
        return 0
    if chosen.check:
        print(f"{chosen.readme.name}: the table of providers is stale: run tools/readme_providers.py", file=sys.stderr)
        return 1
    chosen.readme.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
