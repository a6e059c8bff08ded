"""The command line: `ferroscope decode`, `demo`, `doctor`, `map`, `migrate`, `prices`, `serve`, `version`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    from . import __version__, _decode
    from ._migrate import command as migrate
    from ._serve import command as serve
    from .batch import _arguments as batch
    from .prices import _cli as prices

    parser = argparse.ArgumentParser(prog="ferroscope", description="Language-model calls as decorated functions.")
    parser.add_argument("--version", action="version", version=f"ferroscope {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")

    _decode.add_arguments(command("decode", "show the events of a recorded stream, and where each tool fragment went"))
    demo = command("demo", "show the features of the library, without an API key")
    demo.add_argument("--live", action="store_true", help="call OpenAI, with the key in OPENAI_API_KEY")
    demo.add_argument("--model", default="gpt-4o-mini", help="the model to call (default: %(default)s)")
    demo.add_argument("--brief", action="store_true", help="skip the pauses and the measurements")
    demo.add_argument("--page", action="store_true", help="serve a chat page instead, until it is stopped")
    demo.add_argument("--port", type=int, default=8000, help="the port of the page (default: %(default)s)")
    doctor = command("doctor", "show the installed SDKs, which keys are set, the transports and missing prices")
    doctor.add_argument("models", nargs="*", metavar="MODEL", help="a model to look up, or provider/model")
    batch.add_arguments(command("map", "call a function for every row of a file, and go on after an interruption"))
    migrate.add_arguments(command("migrate", "change programs of Mirascope v1 to this package, and show what differs"))
    prices.add_arguments(command("prices", "show the prices of a model: rates, tiers, source, age"))
    serve.add_arguments(
        command("serve", "serve a decorated function or a model as a chat page and an OpenAI-compatible endpoint")
    )
    command("version", "show the version")
    chosen = parser.parse_args(arguments)
    try:
        return _run(chosen)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The output is a closed pipe; without this, the interpreter reports an error when it flushes.
        sys.stdout = None
        return 141


def _run(chosen: argparse.Namespace) -> int:
    from ._migrate import command as migrate
    from .errors import MissingExtraError

    match chosen.command:
        case "decode":
            from ._decode import run_decode

            return run_decode(chosen)
        case "demo":
            try:
                from ._demo import run_demo, run_page

                if chosen.page:
                    from ._serve.command import serve_function

                    serve = partial(serve_function, port=chosen.port)
                    return run_page(serve, model=chosen.model, live=chosen.live)
                return run_demo(model=chosen.model, live=chosen.live, brief=chosen.brief)
            except MissingExtraError as error:
                print(error, file=sys.stderr)
                return 1
        case "doctor":
            from ._doctor import run_doctor

            return run_doctor(chosen.models)
        case "map":
            from .batch._cli import run_map

            return run_map(chosen)
        case "migrate":
            try:
                return migrate.run_migrate(chosen)
            except MissingExtraError as error:
                print(error, file=sys.stderr)
                return 1
        case "prices":
            from .prices._cli import show_prices

            return show_prices(chosen)
        case "serve":
            from ._serve.command import run_serve

            return run_serve(chosen)
        case _:
            from . import __version__

            print(f"ferroscope {__version__}")
            return 0


if __name__ == "__main__":
    sys.exit(main())
