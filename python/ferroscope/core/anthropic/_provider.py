"""The record of the provider Anthropic."""

from __future__ import annotations

from anthropic import Anthropic, AsyncAnthropic

from ..._dialects.anthropic.dialect import AnthropicMessages
from ..._engine.clients import Clients
from ..._engine.error_facts import RetryRules
from ..._engine.provider import Provider
from ...core.base.quirks import Quirks
from ._untraced import untraced
from .call_response import AnthropicCallResponse
from .call_response_chunk import AnthropicCallResponseChunk
from .stream import AnthropicStream
from .tool import AnthropicTool

# https://docs.claude.com/en/api/rate-limits#response-headers
_LIMIT_HEADERS = tuple(
    (f"anthropic-ratelimit-{kind}-remaining", f"anthropic-ratelimit-{kind}-reset")
    for kind in ("requests", "tokens", "input-tokens", "output-tokens")
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
    clients=Clients(
        environment=(
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "ANTHROPIC_BASE_URL",
            "ANTHROPIC_CUSTOM_HEADERS",
            "ANTHROPIC_PROFILE",
        ),
        sync=Anthropic,
        asynchronous=AsyncAnthropic,
        untraced=untraced,
    ),
    stream_error="APIStatusError",
    quirks=Quirks(prefill=_PREFILL),
    retry_rules=RetryRules(limit_headers=_LIMIT_HEADERS),
)
