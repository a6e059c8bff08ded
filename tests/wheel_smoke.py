"""Run with the wheel installed in an environment that has nothing else: it must import, and say what is missing."""

from __future__ import annotations

import importlib.metadata
import sys
from importlib.resources import files

import ferroscope
from ferroscope import errors, prompt_template
from ferroscope._core import StreamDecoder

assert ferroscope.__version__ == importlib.metadata.version("ferroscope")
assert (files("ferroscope") / "py.typed").is_file()
assert not {"openai", "anthropic", "httpx", "httpx2"} & sys.modules.keys()

decoder = StreamDecoder()
decoder.feed(b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n')
assert [event.content for event in decoder] == ["Hello"]


@prompt_template("Recommend a {genre} book")
def recommend(genre: str) -> None: ...


assert [message.content for message in recommend("quiet")] == ["Recommend a quiet book"]  # type: ignore[func-returns-value]

try:
    import ferroscope.core.openai
except errors.MissingExtraError as error:
    assert "ferroscope[openai]" in str(error)  # noqa: PT017  # there is no pytest where this runs
else:
    raise AssertionError("the SDK is not installed here")
print(f"ferroscope {ferroscope.__version__}: the wheel works")
