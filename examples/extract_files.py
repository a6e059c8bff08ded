"""Data from the text files of a folder, one line of JSON per file. A second run calls only for new files.

Run it with `python extract_files.py invoices invoices.jsonl`.
"""

import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, Field

from ferroscope import llm
from ferroscope.batch import Checkpoint, export


class Invoice(BaseModel):
    """The data of an invoice."""

    number: str
    total: Decimal = Field(description="The total in the currency of the invoice, with taxes")
    currency: str = Field(description="The ISO code of the currency")


@llm.call("openai/gpt-4o-mini", response_model=Invoice)
def extract(text: str) -> str:
    return f"Extract the data of this invoice:\n\n{text}"


def rows(folder: Path) -> Iterator[dict[str, str]]:
    """Yield a row for each file. `file` is the key of the row; the function does not get it."""
    for path in sorted(folder.glob("*.txt")):
        yield {"file": path.name, "text": path.read_text(encoding="utf-8")}


if __name__ == "__main__":
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    record = out.with_suffix(".checkpoint")
    results = extract.map(rows(folder), key="file", concurrency=20, budget_usd=1, checkpoint=record)
    for result in results:
        print(result.key, result.value or result.error)
    with Checkpoint(record) as checkpoint:
        export(checkpoint, out)
    print(f"{results.stats.cost} USD")
