"""The record of a provider with chat completions and the Responses API, both called with OpenAI's SDK.

https://github.com/openai/openai-python
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ..._engine.clients import Clients
from ..._engine.direct.rules import DirectRules
from ..._engine.provider import Provider
from ...core.base.call_response import AnyCallResponse
from ...core.base.call_response_chunk import AnyCallResponseChunk
from ...core.base.quirks import Quirks
from ...core.base.stream import AnyStream
from ...core.base.tool import BaseTool
from ..openai_chat.dialect import OpenAIChat
from ..openai_chat.sdk import OPENAI_SDK, ChatSdk
from ..openai_responses.choice import CHAT, RESPONSES, choose_api
from ..openai_responses.dialect import OpenAIResponses
from .other_sdk import OtherSdk

Classes: TypeAlias = tuple[type[AnyCallResponse], type[AnyCallResponseChunk], type[AnyStream], type[BaseTool]]
"""The classes of responses, chunks, streams and tools of one API."""

BATCH_APIS: Final = "ferroscope._dialects.openai_chat.batch_api"
_CLIENTS: Final = frozenset({"OpenAI", "AsyncOpenAI"})
_DIRECT_CHAT: Final = DirectRules(_CLIENTS, "chat.completions.create", frozenset({"messages"}))
_DIRECT_RESPONSES: Final = DirectRules(_CLIENTS, "responses.create", frozenset({"input"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that OpenAI's SDK calls.

    Attributes:
        clients: The default clients.
        chat_batch_api: The batch API for chat completions, as `"module:name"`.
        responses_batch_api: The batch API for the Responses API, likewise.
        label: The provider's name in error messages.
        chat_sdk: The SDK for chat completions.
        responses_method: The SDK's class with the method of the Responses API; see `OpenAIResponses.method_of`.
        telemetry_name: The provider's name in OpenTelemetry's conventions; empty if that is the same.
        is_direct: Whether requests may bypass the SDK.
    """

    clients: Clients
    chat_batch_api: str
    responses_batch_api: str
    label: str = "OpenAI"
    chat_sdk: ChatSdk = OPENAI_SDK
    responses_method: str = ""
    telemetry_name: str = ""
    is_direct: bool = False


OPENAI_SERVICE: Final = Service(
    clients=Clients.of_sdk(
        "openai:OpenAI",
        "openai:AsyncOpenAI",
        ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"),
    ),
    chat_batch_api=f"{BATCH_APIS}:CHAT",
    responses_batch_api=f"{BATCH_APIS}:RESPONSES",
    is_direct=True,
)


def two_api_record(
    name: str,
    service: Service,
    quirks: Quirks,
    chat: Classes,
    responses: Classes,
    *,
    other_sdk: OtherSdk | None = None,
) -> Provider:
    """Return the record of a provider. Calls use its chat completions, unless they need the Responses API.

    Args:
        name: The name that users write.
        service: The service.
        quirks: The differences from the wire formats.
        chat: The classes of chat completions.
        responses: The classes of the Responses API.
        other_sdk: Another SDK for chat completions.
    """
    dialect = OpenAIChat(service.label, quirks, service.chat_sdk)
    response, chunk, stream, tool = chat
    record = Provider(
        name=name,
        dialect=dialect,
        sdk="openai",
        response=response,
        chunk=chunk,
        stream=stream,
        tool=tool,
        clients=service.clients,
        quirks=quirks,
        telemetry_name=service.telemetry_name,
        api=CHAT,
    )
    alternatives = other_sdk.alternatives(record, dialect) if other_sdk is not None else ()
    response, chunk, stream, tool = responses
    of_responses = replace(
        record,
        dialect=OpenAIResponses(service.label, quirks, service.responses_method),
        response=response,
        chunk=chunk,
        stream=stream,
        tool=tool,
        api=RESPONSES,
        batch_api=service.responses_batch_api,
        direct=_DIRECT_RESPONSES if service.is_direct else None,
    )
    return replace(
        record,
        alternatives=alternatives,
        apis={RESPONSES: of_responses},
        choose_api=choose_api,
        batch_api=service.chat_batch_api,
        direct=_DIRECT_CHAT if service.is_direct else None,
    )
