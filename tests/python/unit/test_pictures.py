"""The pictures of the documentation show the output of this version."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from pathlib import Path

from ferroscope.batch._progress import summary_text
from ferroscope.batch._results import MapStats

IMAGES = Path(__file__).parents[3] / "docs/images"


def test_the_pictures_are_small_and_load_nothing() -> None:
    assert {picture.name for picture in IMAGES.iterdir() if picture.stat().st_size > 200_000} == set()
    for picture in IMAGES.glob("*.svg"):
        assert re.findall(r"(?:href|src)=[\"']\w+:|url\([\"']?\w+:", picture.read_text("utf-8")) == []


def test_the_picture_of_the_progress_bar_has_the_present_summary() -> None:
    """`python tools/progress_image.py` writes the picture."""
    picture = (IMAGES / "progress.svg").read_text("utf-8")
    shown = [html.unescape(text).replace("\xa0", " ") for text in re.findall(r"<text [^>]*>([^<]+)</text>", picture)]
    stats = MapStats(
        total=600,
        done=600,
        requests=600,
        input_tokens=540_000,
        output_tokens=180_000,
        cost=Decimal("0.189000"),
    )
    lines = [line for line in summary_text(stats).splitlines() if not line.startswith("time")]
    assert [line for line in lines if line not in [text.rstrip() for text in shown]] == []
    assert any(re.search(r"\d+/600 rows, [\d.]+k tokens, [\d.]+ USD of about 0\.19", text) for text in shown)
