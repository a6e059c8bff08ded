"""`ferroscope decode FILE`: print a recorded stream event by event."""

from __future__ import annotations

import argparse
import sys
from typing import IO

from ._core import DecodeError, StreamDecoder
from ._engine.event_trace import EventTrace, call_label, counts_label

_DIALECTS = ("anthropic", "bedrock_converse", "cohere", "gemini", "openai_chat", "openai_responses")
_FRAMINGS = ("sse", "aws_event_stream", "json_lines")
_READ_BYTES = 64 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("file", metavar="FILE", help="the body of a streamed response; - for standard input")
    parser.add_argument("--dialect", required=True, choices=_DIALECTS, help="the wire format of the events")
    parser.add_argument("--framing", choices=_FRAMINGS, help="the framing of the body (default: that of the dialect)")
    parser.add_argument("--usage-in", metavar="FIELD", help="a field that contains `usage` (openai_chat; e.g. x_groq)")
    parser.add_argument("--raw", action="store_true", help="show the data of each event too")


def run_decode(chosen: argparse.Namespace) -> int:
    """Print each event of a file, and the result of the stream.

    Returns:
        The exit status: 1 if the file cannot be read or the stream cannot be decoded to its end.
    """
    decoder = StreamDecoder(chosen.dialect, framing=chosen.framing, usage_in=chosen.usage_in)
    try:
        if chosen.file == "-":
            _print_events(decoder, sys.stdin.buffer, raw=chosen.raw)
        else:
            with open(chosen.file, "rb") as body:
                _print_events(decoder, body, raw=chosen.raw)
    except OSError as error:
        print(f"cannot read {chosen.file!r}: {error.strerror}", file=sys.stderr)
        return 1
    except DecodeError as error:
        kind, message, *_ = error.args
        _print_result(decoder)
        print(f"error ({kind}): {message}", file=sys.stderr)
        return 1
    _print_result(decoder)
    return 0


def _print_events(decoder: StreamDecoder, body: IO[bytes], *, raw: bool) -> None:
    trace = EventTrace(decoder, with_content=True)

    def show() -> None:
        for event in decoder:
            print(trace.describe(event))
            if raw and event.data:
                print(f"    {event.data.decode(errors='replace')}")

    while read := body.read(_READ_BYTES):
        decoder.feed(read)
        show()
    decoder.finish()
    show()


def _print_result(decoder: StreamDecoder) -> None:
    print(f"\nmodel: {decoder.model or 'not reported'}")
    print(f"events: {decoder.events}")
    print(f"text: {len(decoder.content)} characters")
    print(f"finish reasons: {', '.join(decoder.finish_reasons) or 'none reported'}")
    print(f"usage: {counts_label(decoder) if decoder.usage else 'not reported'}")
    cut = {call.position for call in decoder.cut_calls}
    for call in decoder.tool_calls:
        state = "cut off: arguments" if call.position in cut else "arguments"
        print(f"{call_label(call)}: {state} {call.arguments!r}")
