"""The record of the provider Amazon Bedrock."""

from __future__ import annotations

from ..._dialects.bedrock_converse.dialect import BedrockConverse
from ..._engine.clients import Clients
from ..._engine.error_facts import RetryRules
from ..._engine.provider import Provider
from .call_response import BedrockCallResponse
from .call_response_chunk import BedrockCallResponseChunk
from .stream import BedrockStream
from .tool import BedrockTool

_ADAPTER = "ferroscope._dialects.bedrock_converse.sdk"
# https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html; `AWS_REGION_NAME` is v1's name.
_ENVIRONMENT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_REGION_NAME",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
)
_QUOTA_ERROR = "ServiceQuotaExceededException"

BEDROCK = Provider(
    name="bedrock",
    dialect=BedrockConverse(f"{_ADAPTER}:sender"),
    sdk="botocore",
    response=BedrockCallResponse,
    chunk=BedrockCallResponseChunk,
    stream=BedrockStream,
    tool=BedrockTool,
    clients=Clients.of_adapter(_ADAPTER, _ENVIRONMENT),
    errors={
        "ConnectTimeoutError": "APITimeoutError",
        "ConnectionError": "APIConnectionError",
        "HTTPClientError": "APIConnectionError",
        "NoAuthTokenError": "MissingApiKeyError",
        "NoCredentialsError": "MissingApiKeyError",
        "PartialCredentialsError": "MissingApiKeyError",
        "ReadTimeoutError": "APITimeoutError",
        "ResponseParserError": "APIError",
        _QUOTA_ERROR: "RateLimitError",
    },
    telemetry_name="aws.bedrock",
    adapter_module=_ADAPTER,
    retry_rules=RetryRules(statuses=frozenset({408, 409, 424, 429}), final_codes=frozenset({_QUOTA_ERROR})),
    once=lambda client, kwargs: (client, {**kwargs, "single": True}),
)
