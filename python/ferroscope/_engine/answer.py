"""The conversion of a complete answer into an instance of its response model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import AliasChoices, BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from .._core import JsonError, PartialJson
from ..core.base._suggestions import shortened, with_article
from ..core.base.call_response import AnyCallResponse
from ..errors import ResponseModelError
from .send_errors import add_note
from .thinking import without_thoughts

if TYPE_CHECKING:
    from .call import Call
    from .extraction import Extraction

# Any: a response model may be any type, and the result is of that type.
_EXCERPT: Final = 300
_FENCED: Final = re.compile(r"\s*```[^\n`]*\n(.*?)(?:```\s*)?", re.DOTALL)


def extract(call: Call, response: AnyCallResponse, arguments: str = "") -> Any:
    """Return the instance of the response model, or the response itself if the model called a tool instead.

    Args:
        call: The call.
        response: Its response.
        arguments: The arguments of the tool call exactly as received, if they are known. Empty: read the response.

    Raises:
        ferroscope.errors.ResponseModelError: The answer is missing, is a refusal, or is not the expected JSON.
        pydantic.ValidationError: The answer does not fit the response model.
        ferroscope.errors.ToolError: A tool call names an unknown tool, or its arguments are not a JSON object.
    """
    extraction = call.extraction
    assert extraction is not None
    text = arguments
    try:
        if call.tools and response.tools:
            return response
        answer = call.provider.dialect.answer_text(response, extraction.mode)
        text = arguments or answer
        result = read_answer(extraction, without_thoughts(text), call.prefilled_fields)
    except JsonError as error:
        message = f"{_error_text(extraction, error, response)}; {_written(text, call)}"
        raise ResponseModelError(message, text=text, response=response) from None
    except ValueError as error:
        if type(error) is ValueError:
            # A refusal, whose message is what the model wrote, or an answer without content.
            raise ResponseModelError(str(error), text=response.content, response=response) from None
        error._response = response  # type: ignore[attr-defined]  # as in v1
        add_note(error, _written(text, call))
        raise
    if isinstance(result, BaseModel):
        result._response = response  # type: ignore[attr-defined]  # as in v1
    return result


def read_answer(extraction: Extraction, text: str, prefilled: Mapping[str, Any]) -> Any:
    """Return the instance for the JSON document in a text. Other text may surround the document.

    Raises:
        JsonError: There is no complete JSON document.
        pydantic.ValidationError: The document does not fit the response model.
    """
    if extraction.is_wrapped:
        return _read_value(extraction, text)
    model = extraction.model
    if prefilled:
        return model.model_validate(
            _filled(model, document(text, "object"), prefilled),
            # A strict model accepts strings for types that JSON lacks (dates) only from JSON text. These values are
            # Python
            # objects.
            strict=False if model.model_config.get("strict") else None,
        )
    try:
        return model.model_validate_json(text)  # most answers are only the document
    except ValidationError as error:
        if not is_no_json(error):
            raise
    return model.model_validate_json(to_json(document(text, "object")))


def document(text: str, root: Literal["object", "container", "value"]) -> Any:
    """Return the JSON value in a text."""
    parser = PartialJson(root=root)
    parser.feed(text)
    parser.finish()
    return parser.value


def _read_value(extraction: Extraction, text: str) -> Any:
    """Return the value of an answer, which is `{"value": ...}` as requested, or the bare value from some models."""
    model = extraction.model
    bare: TypeAdapter[Any] | None = None
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    nearer: ValidationError | None = None
    for found in _documents(text):
        try:
            return vars(model.model_validate_json(found))["value"]
        except ValidationError as error:
            wrapped_error = error
        bare = bare or TypeAdapter(extraction.target)
        try:
            return bare.validate_json(found)
        except ValidationError as error:
            bare_error = error
        with suppress(ValidationError):
            return bare.validate_json(_inner_text(found))
        if not is_no_json(wrapped_error):
            nearer = wrapped_error if _is_wrapped(found, bare_error) else bare_error
    assert nearer is not None
    raise nearer


def _documents(text: str) -> Iterator[str | bytes]:
    """Yield the text, and if it is not a JSON document, the documents in it."""
    yield text
    try:
        from_json(text)
    except ValueError:
        with suppress(JsonError):
            yield to_json(document(text, "object"))
        yield to_json(document(text, "container"))


def _inner_text(document: str | bytes) -> str:
    """Return the string that a JSON document consists of; empty if the document is something else."""
    try:
        value = from_json(document)
    except ValueError:
        return ""
    inner = value.get("value") if isinstance(value, dict) and len(value) == 1 else None
    return inner if isinstance(inner, str) else ""


def _is_wrapped(found: str | bytes, bare_error: ValidationError) -> bool:
    """Return whether a validation error concerns a document of the form `{"value": ...}`."""
    value = from_json(found)
    return isinstance(value, dict) and ("value" in value or not bare_error.errors(include_url=False)[0]["loc"])


def is_no_json(error: ValidationError) -> bool:
    """Return whether the text is not JSON at all, rather than JSON of the wrong type."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return first["type"] == "json_invalid" and not first["loc"]


def _filled(model: type[BaseModel], value: Any, prefilled: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    keys = {}
    for name, known in prefilled.items():
        alias = model.model_fields[name].validation_alias
        if isinstance(alias, AliasChoices):
            alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
        keys[alias if isinstance(alias, str) else name] = known
    return {**value, **keys}


def _written(text: str, call: Call) -> str:
    """Return the beginning of what the model wrote, and where, for an error message."""
    return f"the model wrote {shortened(text, _EXCERPT)}; {call.where}"


def _error_text(extraction: Extraction, error: JsonError, response: AnyCallResponse) -> str:
    text = f"the answer is not {with_article(extraction.title)}: {error}"
    if response.common_finish_reasons == ["length"]:
        text += "; the model stopped at its limit of tokens, which `max_tokens` sets"
    return text
