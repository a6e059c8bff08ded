"""All benches, compared with the peers: `make bench`. `run.py stream --kind sync` runs one, with its options."""

from __future__ import annotations

import sys

import bench_batch
import bench_call
import bench_decode
import bench_direct
import bench_price
import bench_providers
import bench_relay
import bench_stream
import bench_streams_tls
import bench_structured
import bench_telemetry

BENCHES = {
    "batch": bench_batch.main,
    "call": bench_call.main,
    "decode": bench_decode.main,
    "direct": bench_direct.main,
    "price": bench_price.main,
    "providers": bench_providers.main,
    "relay": bench_relay.main,
    "stream": bench_stream.main,
    "streams-tls": bench_streams_tls.main,
    "structured": bench_structured.main,
    "telemetry": bench_telemetry.main,
}


def main(arguments: list[str]) -> None:
    if arguments and arguments[0] in BENCHES:
        BENCHES[arguments[0]](arguments[1:])
        return
    for bench in BENCHES.values():
        bench(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
