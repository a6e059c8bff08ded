"""The run of a structured stream whose chunks a program created: partial instances from the JSON in the chunks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing
from typing import Any

from pydantic import BaseModel

from .._core import JsonError
from ..core.base.stream import AnyStream
from ..core.base.tool import BaseTool
from ..errors import ResponseModelError
from .answer import read_answer
from .extraction import Extraction, plan_extraction
from .structured import Reading
from .thinking import without_thoughts


class StructuredChunks:
    """The iteration over a stream of pairs as its response model.

    Args:
        stream: The stream.
        extraction: The plan for the answer.
        prefilled: The fields that the call's arguments fill.
        json_of: A function that returns the part of the JSON in a chunk.
    """

    # Any: instances of the response model, and values of its fields.
    def __init__(
        self, stream: AnyStream, extraction: Extraction, prefilled: dict[str, Any], json_of: Callable[[Any], str]
    ) -> None:
        self._stream = stream
        self._extraction = extraction
        self._prefilled = prefilled
        self._json_of = json_of
        self._pieces: list[str] = []
        self._reading = Reading(extraction, prefilled, text=self._piece)

    def _piece(self, chunk: Any) -> str:
        piece = self._json_of(chunk)
        if piece:
            self._pieces.append(piece)
        return piece

    def iterate(self, keep: Callable[[Any], None]) -> Generator[Any, None, None]:
        """Yield partial instances, then the complete one, of a sync stream."""
        pairs = iter(self._stream)
        yield from self._reading.partials(chunk for chunk, _ in pairs)
        yield from self._whole(keep)

    async def aiterate(self, keep: Callable[[Any], None]) -> AsyncGenerator[Any, None]:
        """Yield partial instances, then the complete one, of an async stream."""
        async with aclosing(aiter(self._stream)) as pairs:
            async for chunk, _ in pairs:
                for partial in self._reading.partials((chunk,)):
                    yield partial
        for whole in self._whole(keep):
            yield whole

    def is_done(self, *path: str | int) -> bool:
        return self._reading.is_whole or self._reading.reader.is_done(*path)

    def _whole(self, keep: Callable[[Any], None]) -> Iterator[Any]:
        """Yield the complete instance."""
        if self._reading.is_whole:  # iterated over again
            return
        self._reading.is_whole = True
        text = "".join(self._pieces)
        response = self._stream.construct_call_response()
        result = instance_of(self._extraction, text, self._prefilled, response)
        keep(result)
        yield result


def instance_of(extraction: Extraction, text: str, prefilled: dict[str, Any], response: Any) -> Any:
    """Return the instance of the response model in an answer's JSON.

    Raises:
        ferroscope.errors.ResponseModelError: The text is not JSON for the response model.
        pydantic.ValidationError: The JSON does not match the response model. `_response` of it is the response.
    """
    try:
        result = read_answer(extraction, without_thoughts(text), prefilled)
    except JsonError as error:
        message = f"the answer is not JSON for {extraction.title}: {error}"
        raise ResponseModelError(message, text=text, response=response) from None
    except ValueError as error:
        error._response = response  # type: ignore[attr-defined]  # as in v1
        raise
    if isinstance(result, BaseModel):
        result._response = response  # type: ignore[attr-defined]  # as in v1
    return result


def run_of_texts(stream: AnyStream, response_model: Any, prefilled: dict[str, Any]) -> StructuredChunks:
    """Return the run of a structured stream whose chunks have the JSON as their text, as in v1."""
    extraction = plan_extraction(response_model, _Tools(), json_mode=True, has_tools=False)
    return StructuredChunks(stream, extraction, prefilled, lambda chunk: chunk.content)


class _Tools:
    tool: type[BaseTool] = BaseTool  # type: ignore[type-abstract]  # only models are derived from it
