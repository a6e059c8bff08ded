"""Requests and responses of the Responses API.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

import orjson

from ..._engine.dialect import ReportedError, Request
from ...core.base._messages.provider_data import Endpoint
from ...core.base.quirks import Quirks
from ...errors import ClientError
from ..openai_chat.sdk import extend_body, method_parameters
from ..reported_error import find_error, missing_answer
from ..sdk_model import dump_event, read_model
from .extraction import answer_text, render_extraction, render_json_mode
from .items import ItemRules
from .messages import WireItem, needs_fetch, render_messages, sendable_items
from .parameters import render_params
from .reading import member

# Any: the SDK's own objects pass through.

RESPONSES_METHOD: Final = "openai.resources.responses:Responses"
"""The SDK's class with the method that sends requests."""
_OLDEST_SDK: Final = "1.66"
# The models that encrypt their reasoning on request. Others refuse such a request.
# https://platform.openai.com/docs/guides/reasoning
_REASONING_MODELS: Final = re.compile(r"(?:.*/)?(?:o[1-9]|gpt-[5-9](?!.*-chat)|codex|computer-use)")
_OF_EVERY_REQUEST: Final = ("extra_headers", "extra_query", "include", "timeout")
_ENCRYPTED: Final = "reasoning.encrypted_content"


@dataclass(frozen=True, slots=True)
class OpenAIResponses:
    """The Responses API of one server.

    Attributes:
        label: The provider's name in error messages.
        quirks: The server's differences from OpenAI's API.
        method_of: The SDK's class with the method that sends requests. Parameters that the method does not know go
            into the body of the request. If empty, they are errors.
    """

    name: ClassVar[str] = "openai_responses"
    label: str = "OpenAI"
    quirks: Quirks = field(default_factory=Quirks)
    method_of: str = ""

    @property
    def rules(self) -> ItemRules:
        """Return the rules for items."""
        return ItemRules(self.label, self.quirks.audio, self.quirks.documents)

    def needs_fetch(self, messages: Iterable[Any]) -> bool:
        return needs_fetch(messages)

    def render_messages(self, messages: Iterable[Any], destination: Endpoint) -> list[WireItem]:
        return render_messages(messages, self.rules, destination)

    def conversation(self, messages: list[WireItem]) -> list[WireItem]:
        return messages

    def render_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return render_params(params)

    def render_request(self, request: Request) -> dict[str, Any]:
        stored = request.params.get("store") is not False
        kwargs = {"model": request.model, "input": request.messages, **request.params}
        if request.tools:
            own = [tool.wire_schema() for tool in request.tools]  # type: ignore[attr-defined]  # ResponsesTool
            # Tools in the parameters are hosted tools: web search, code interpreter.
            kwargs["tools"] = [*kwargs.get("tools", ()), *own]
        if request.extraction is not None:
            render_extraction(kwargs, request.extraction)
        elif request.json_mode:
            render_json_mode(kwargs, None)
        kwargs["input"] = sendable_items(kwargs["input"], stored=stored)
        if not stored and _REASONING_MODELS.match(request.model):
            # Without this, the model loses its reasoning between the turns of a tool loop.
            kwargs["include"] = list(dict.fromkeys([*kwargs.get("include", ()), _ENCRYPTED]))
        if request.stream:
            kwargs["stream"] = True
        return extend_body(kwargs, method_parameters(self.method_of)) if self.method_of else kwargs

    def method(self, client: Any, *, asynchronous: bool) -> Callable[..., Any]:
        responses = getattr(client, "responses", None)
        if responses is None and hasattr(client, "chat"):
            from openai import __version__

            raise ClientError(
                f"the Responses API of {self.label} needs openai>={_OLDEST_SDK}, and {__version__} is installed: "
                'upgrade it, or pass `api="chat"`'
            )
        return client.responses.create  # type: ignore[no-any-return]

    def read_response(self, data: bytes) -> Any:
        from openai.types.responses import Response

        return read_model(Response, data)

    def reported_error(self, response: Any) -> ReportedError | None:
        if found := find_error(response):
            return found
        if member(response, "status") == "failed":
            return ReportedError("the response failed", {"code": "failed"})
        if member(response, "output") is None and not member(response, "usage"):
            return missing_answer(response, "output")
        return None

    def is_resumable(self, kwargs: Mapping[str, Any]) -> bool:
        return bool(kwargs.get("background") and kwargs.get("stream"))

    def resume(self, client: Any, kwargs: Mapping[str, Any], identifier: str, after: int) -> Any:
        # https://platform.openai.com/docs/guides/background#streaming-a-background-response
        shared = {name: kwargs[name] for name in _OF_EVERY_REQUEST if name in kwargs}
        return client.responses.retrieve(identifier, stream=True, starting_after=after, **shared)

    def may_force_tool(self, params: Mapping[str, Any]) -> bool:
        return True

    def answer_text(self, response: Any, mode: Literal["tool", "json"]) -> str:
        return answer_text(response.response, mode)

    def estimate_usage(self, response: Any, input_tokens: int, output_tokens: int) -> dict[str, Any] | None:
        return None if response.usage is not None else {"input_tokens": input_tokens, "output_tokens": output_tokens}

    def dump_event(self, event: Any) -> str:
        return dump_event(event)

    def blank_event(self, identifier: str, model: str) -> bytes:
        response = {"id": identifier, "model": model, "object": "response", "output": []}
        return orjson.dumps({"type": "response.in_progress", "response": response})
