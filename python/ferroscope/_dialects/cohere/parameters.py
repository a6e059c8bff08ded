"""The parameters of a request in Cohere's v2 chat format.

https://docs.cohere.com/v2/reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .messages import WireMessage

# Any: parameters as the SDK accepts them, and JSON schemas.

# Names from other providers or the old API.
_RENAMED: Final = {"top_p": "p", "stop": "stop_sequences"}
# Parameters of the old API without a counterpart, and the advice for the error message.
_REMOVED: Final = {
    "chat_history": "write the messages in the prompt",
    "connectors": "pass the results of a search as `documents`",
    "conversation_id": "pass the messages of the conversation",
    "force_single_step": "leave it out",
    "max_input_tokens": "shorten the messages",
    "message": "write the message in the prompt",
    "prompt_truncation": "shorten the messages",
    "raw_prompting": "leave it out",
    "return_preamble": "leave it out",
    "return_prompt": "leave it out",
    "search_options": "pass the results of a search as `documents`",
    "search_queries_only": "offer a search tool",
    "tool_results": "write the tool results in the messages",
}


def render_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return call parameters under Cohere's names; those that are None are left out.

    `preamble` of the old API keeps its name: it becomes a message (see `with_preamble`).

    Raises:
        ValueError: A parameter of the old API has no counterpart.
    """
    rendered: dict[str, Any] = {}
    for name, value in params.items():
        if value is None:
            continue
        if advice := _REMOVED.get(name):
            raise ValueError(f"Cohere's v2 chat API has no parameter {name!r}: {advice}.")
        if name == "documents":
            value = [_document(document) for document in value]
        elif name == "stop" and isinstance(value, str):
            value = [value]
        elif name == "citation_quality":
            rendered.setdefault("citation_options", {"mode": str(value).upper()})
            continue
        rendered.setdefault(_RENAMED.get(name, name), value)
    return rendered


def _document(document: Any) -> Any:
    """Return a document of this API: text, or an object with its members in `data`. In the old API they were
    outside.
    """
    if not isinstance(document, Mapping) or "data" in document:
        return document
    data = {name: value for name, value in document.items() if name != "id"}
    return {"id": document["id"], "data": data} if "id" in document else {"data": data}


def with_preamble(messages: Sequence[WireMessage], preamble: str | None) -> list[WireMessage]:
    """Return the messages with the old API's preamble first, as a system message."""
    return [{"role": "system", "content": preamble}, *messages] if preamble else list(messages)


def force_function(kwargs: dict[str, Any], declaration: Mapping[str, Any]) -> None:
    """Ask for a call of one function. The API can only require any tool, so offer this tool alone."""
    kwargs["tools"] = [dict(declaration)]
    kwargs["tool_choice"] = "REQUIRED"


def ask_for_json(kwargs: dict[str, Any], schema: Mapping[str, Any] | None) -> None:
    """Ask for an answer in JSON, with a schema if one is given. The caller's response format has precedence."""
    described = {} if schema is None else {"json_schema": dict(schema)}
    kwargs.setdefault("response_format", {"type": "json_object", **described})
