"""Decoding only: from the bytes of a body to `(chunk, tool)` with `.content` read, without sockets or HTTP.

python benches/python/bench_decode.py [--file STREAM.sse] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peers import measure, python_of

CHUNKS = 5000
WAYS = (
    ("json.loads in a loop", "json", "here"),
    ("ferroscope, bytes to chunks", "core", "here"),
    ("ferroscope, the whole call", "ferroscope", "here"),
    ("SDK objects, this SDK", "sdk", "here"),
    ("SDK objects, SDK 1.109", "sdk", "mirascope"),
    ("Mirascope 1.25.7", "mirascope", "mirascope"),
)
READS = {"reads of 16 KiB": 16384, "reads of 1369 B": 1369, "a read an event": 0}


def stream(padded: bool) -> bytes:
    """Return a body as OpenAI sends it: `padded` with its obfuscation, so that every event differs in length."""
    pads = random.Random(7)
    top = {
        "id": "chatcmpl-CbXyZ0123456789abcdefghijkl",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "gpt-5-mini-2025-08-07",
        "service_tier": "default",
        "system_fingerprint": "fp_1a2b3c4d5e",
    }
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += ({"content": " " + pads.choice(["the", "quick", "brown", "fox\n", "“jumps”"])} for _ in range(CHUNKS))
    events = []
    for number, delta in enumerate([*deltas, {}]):
        finish = "stop" if number == len(deltas) else None
        event = {**top, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        event["usage"] = None
        if padded:
            event["obfuscation"] = "".join(pads.choices("abcXYZ019", k=pads.randrange(1, 12)))
        events.append(event)
    usage = {"prompt_tokens": 9, "completion_tokens": CHUNKS, "total_tokens": CHUNKS + 9}
    events.append({**top, "choices": [], "usage": usage})
    text = "".join(f"data: {json.dumps(e, ensure_ascii=False, separators=(',', ':'))}\n\n" for e in events)
    return text.encode() + b"data: [DONE]\n\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, help="a recorded stream instead of the generated ones")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args(arguments)
    bodies = {"plain": stream(False), "with obfuscation": stream(True)}
    if options.file:
        bodies = {options.file.name: options.file.read_bytes()}
    for _, _, environment in WAYS:
        python_of(environment)
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, body in bodies.items():
            file = Path(folder) / "body.sse"
            file.write_bytes(body)
            for reads, size in READS.items():
                found = run(file, size)
                figures[f"{title}, {reads}"] = found
                show(f"{title}, {reads}", body, found)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def run(file: Path, size: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {name: [] for name, _, _ in WAYS}
    texts: dict[str, list[str]] = {}
    for _ in range(2):
        for name, way, environment in WAYS:
            found = measure(environment, "_decode_in.py", way=way, file=str(file), size=size, runs=5)
            samples[name] += found["loop"]
            texts[name] = found["texts"]
    expected = texts["json.loads in a loop"]
    for name, read in texts.items():
        if read != expected:
            raise SystemExit(f"{name} read another text: {[text[:200] for text in read]}")
    return samples


def show(title: str, body: bytes, samples: dict[str, list[float]]) -> None:
    events = body.count(b"data: {")
    ours = statistics.median(samples["ferroscope, bytes to chunks"])
    print(f"\n{title}: {events} chunks, {len(body) / events:.0f} B each (CPU µs a chunk; ours = 1.00)")
    for name, values in samples.items():
        middle = statistics.median(values)
        each, best = middle * 1e6 / events, min(values) * 1e6 / events
        print(f"  {name:24} {each:9.3f} {best:9.3f} {middle / ours:8.2f}   n={len(values)}")


if __name__ == "__main__":
    main()
