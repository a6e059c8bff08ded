"""The arguments of `ferroscope map`, apart from its code, which other commands need not import."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ferroscope map`."""
    add = parser.add_argument
    add("function", metavar="MODULE:FUNCTION", help="a decorated function; also file.py:function")
    add("rows", metavar="ROWS", help="the input: .jsonl, .csv, .tsv (also with .gz), .parquet, .arrow")
    add("--out", required=True, metavar="FILE", help="the results: .jsonl, .csv or .parquet")
    add("--checkpoint", metavar="FILE", help="the record of the run (default: the value of --out with .checkpoint)")
    add("--concurrency", type=int, default=32, metavar="N", help="rows in progress at a time (default: %(default)s)")
    add("--processes", type=int, default=1, metavar="N", help="processes that make the calls (default: %(default)s)")
    add("--key", metavar="COLUMN", help="the column with the key of a row (default: a hash of its content)")
    add("--retry", type=int, metavar="N", help="the maximum number of requests for a row")
    add("--requests-per-minute", type=int, metavar="N", help="the maximum number of requests per minute")
    add("--tokens-per-minute", type=int, metavar="N", help="the maximum number of tokens per minute")
    add("--budget-usd", metavar="USD", help="the maximum cost of this run")
    add("--allow-unpriced", action="store_true", help="allow models without a price although there is a budget")
    add("--deadline", type=float, metavar="SECONDS", help="the time limit of this run")
    add("--max-failures", type=int, metavar="N", help="end the run after this number of failed rows")
    add("--retry-failed", action="store_true", help="call rows again whose recorded failure is final")
    add("--batch-api", action="store_true", help="use the provider's batch API: half the price, within 24 hours")
    add("--poll-seconds", type=float, default=30.0, metavar="N", help="seconds between two looks at a job")
    add("--json", action="store_true", help="print progress and summary as lines of JSON to the standard output")
    add("--quiet", action="store_true", help="print errors only")
