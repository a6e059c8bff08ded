"""The command line of the provider server: `python -m ferroscope.testing --text "Hello" --delay 0.02`."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence

from ferroscope.testing._ledger import Scripted
from ferroscope.testing._scripts import Replay
from ferroscope.testing._server import ProviderServer
from ferroscope.testing._spawned import serve_pipe
from ferroscope.testing._vocabulary import Answer, Text
from ferroscope.testing._wires import WIRES


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the URLs, then serve the answer that the options describe until interrupted."""
    options = _parser().parse_args(arguments)
    if options.pipe:
        serve_pipe(sys.stdin.buffer, sys.stdout.buffer)
        return
    answer: Scripted
    if options.replay:
        answer = Replay(options.replay, delay=options.delay)
    else:
        answer = Answer(Text(options.text, options.chunks), delay=options.delay, coalesce=options.coalesce)
    with ProviderServer(
        default=answer, host=options.host, port=options.port, certificate=options.certificate
    ) as server:
        for wire in WIRES:
            for provider in wire.mounts:
                print(provider, server.base_url(provider), flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m ferroscope.testing", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--certificate", metavar="FILE", help="a key and a certificate chain (PEM), to serve over TLS")
    parser.add_argument("--text", default="Hello from a provider that is not there.", help="what to answer")
    parser.add_argument("--chunks", type=int, help="in how many pieces; default: after each word")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each event")
    parser.add_argument("--coalesce", type=int, default=1, help="events in one HTTP chunk, 0: all")
    parser.add_argument("--replay", metavar="FILE", help="a recorded stream to answer with instead")
    parser.add_argument("--pipe", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
