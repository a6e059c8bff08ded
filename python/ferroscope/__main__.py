"""The command line: `ferroscope demo`, `ferroscope prices MODEL`, `ferroscope version`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and gives its exit status."""
    parser = argparse.ArgumentParser(prog="ferroscope", description="Language-model calls as decorated functions.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="show what the library does, without a key")
    demo.add_argument("--live", action="store_true", help="call OpenAI itself, with the key in OPENAI_API_KEY")
    demo.add_argument("--model", default="gpt-4o-mini", help="the model to call (default: %(default)s)")
    demo.add_argument("--brief", action="store_true", help="without the pauses and the measurements")
    prices = commands.add_parser("prices", help="show what a model costs", add_help=False)
    prices.add_argument("rest", nargs=argparse.REMAINDER)
    commands.add_parser("version", help="show the version")
    chosen = parser.parse_args(arguments)
    try:
        return _run(chosen)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever was reading has seen enough; the interpreter must not complain when it flushes.
        sys.stdout = None
        return 141


def _run(chosen: argparse.Namespace) -> int:
    from .errors import MissingExtraError

    match chosen.command:
        case "demo":
            try:
                from ._demo import run_demo

                return run_demo(model=chosen.model, live=chosen.live, brief=chosen.brief)
            except MissingExtraError as error:
                print(error, file=sys.stderr)
                return 1
        case "prices":
            from .prices._cli import main as show_prices

            return show_prices(chosen.rest)
        case _:
            from . import __version__

            print(f"ferroscope {__version__}")
            return 0


if __name__ == "__main__":
    sys.exit(main())
