"""The record of the provider Anthropic."""

from __future__ import annotations

from ..._dialects.anthropic.dialect import RETRY_RULES, AnthropicMessages
from ..._dialects.anthropic.parameters import route_parameters
from ..._dialects.anthropic.untraced import reason_of_spans, untraced
from ..._engine.clients import Clients
from ..._engine.direct.rules import DirectRules
from ..._engine.provider import Provider
from ...core.base.quirks import Quirks
from .call_response import AnthropicCallResponse
from .call_response_chunk import AnthropicCallResponseChunk
from .stream import AnthropicStream
from .tool import AnthropicTool

_ENVIRONMENT = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_PROFILE",
)

# Claude 4.6 and later refuse an assistant message at the end of a request.
# https://platform.claude.com/docs/en/about-claude/models/migration-guide
_PREFILL = r"claude-(?:instant|v?[123]\b|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?=$|[@:]|-\d{8}|-v\d|-latest))"

ANTHROPIC = Provider(
    name="anthropic",
    dialect=AnthropicMessages(),
    sdk="anthropic",
    response=AnthropicCallResponse,
    chunk=AnthropicCallResponseChunk,
    stream=AnthropicStream,
    tool=AnthropicTool,
    clients=Clients.of_sdk("anthropic:Anthropic", "anthropic:AsyncAnthropic", _ENVIRONMENT, untraced=untraced),
    stream_error="APIStatusError",
    batch_api="ferroscope._dialects.anthropic.batch_api:MESSAGES",
    direct=DirectRules(
        frozenset({"Anthropic", "AsyncAnthropic"}),
        "messages.create",
        frozenset({"messages", "system"}),
        request_id="request-id",
        arguments=route_parameters,
        reason_against=reason_of_spans,
    ),
    quirks=Quirks(prefill=_PREFILL),
    retry_rules=RETRY_RULES,
)
