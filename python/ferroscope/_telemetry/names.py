"""The names of OpenTelemetry's conventions for generative AI, in one table for one version.

Source: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md.
"""

from __future__ import annotations

from typing import Final, NamedTuple

CONVENTIONS: Final = "semantic-conventions-genai 0.1.0+main (2026-11), on semantic-conventions 1.44"
"""The version of the conventions that the names are from."""

SCOPE: Final = "ferroscope"
"""The name of the instrumentation scope."""

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
CHOICE_COUNT: Final = "gen_ai.request.choice.count"
STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
OUTPUT_TYPE: Final = "gen_ai.output.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
COST: Final = "gen_ai.usage.cost"
"""The cost in USD. The conventions have no name for it; Langfuse and OpenLIT read this one."""

INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
PROMPT_VARIABLE: Final = "gen_ai.prompt.variable."

REQUEST_PARAMETERS: Final = {
    "gen_ai.request.max_tokens": (
        int,
        ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens"),
    ),
    "gen_ai.request.temperature": (float, ("temperature",)),
    "gen_ai.request.top_p": (float, ("top_p", "topP", "p")),
    "gen_ai.request.top_k": (int, ("top_k", "topK", "k")),
    "gen_ai.request.frequency_penalty": (float, ("frequency_penalty", "frequencyPenalty")),
    "gen_ai.request.presence_penalty": (float, ("presence_penalty", "presencePenalty")),
    "gen_ai.request.seed": (int, ("seed", "random_seed")),
    "gen_ai.request.reasoning.level": (str, ("reasoning_effort",)),
    "gen_ai.request.previous_response.id": (str, ("previous_response_id",)),
    CHOICE_COUNT: (int, ("n", "candidate_count", "candidateCount")),
    STOP_SEQUENCES: (list, ("stop", "stop_sequences", "stopSequences")),
}
"""Attributes of the request: the type of each, and the names that wire formats have for it."""

SECTIONS: Final = ("config", "inferenceConfig", "generation_config")
"""Members of a request that contain parameters."""

CAPTURE_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The environment variable that allows content in spans."""

ALLOWS_CONTENT: Final = frozenset({"1", "true", "span_only", "span_and_event"})
"""Its values that do, in lower case."""

SUPPRESS_SDK_SPANS: Final = "suppress_language_model_instrumentation"
"""The context key at which instrumentations of the SDKs record nothing of their own."""

FOREIGN_PREFIXES: Final = ("gen_ai.", "llm.", "openinference.", "langfuse.observation.")
"""Prefixes of attributes that mark a span as one of a model call."""


class Instrument(NamedTuple):
    """A metric: its name, unit, description, and for a histogram the boundaries of its buckets."""

    name: str
    unit: str
    description: str
    boundaries: tuple[float, ...] = ()


_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_CHUNK_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_TOKENS: Final = tuple(float(4**power) for power in range(14))
_METRIC: Final = "gen_ai.client.inference."

DURATION: Final = Instrument(f"{_METRIC}duration", "s", "Duration of a request", _SECONDS)
FIRST_CHUNK: Final = Instrument(
    f"{_METRIC}time_to_first_chunk", "s", "Time from the request to its first chunk", _SECONDS
)
PER_CHUNK: Final = Instrument(
    f"{_METRIC}time_per_output_chunk", "s", "Mean time between the chunks of a stream", _CHUNK_SECONDS
)
OPERATION_TOKENS: Final = {
    INPUT_TOKENS: Instrument(f"{_METRIC}operation.input_tokens", "{token}", "Input tokens of a request", _TOKENS),
    OUTPUT_TOKENS: Instrument(f"{_METRIC}operation.output_tokens", "{token}", "Output tokens of a request", _TOKENS),
}
COUNTERS: Final = {
    INPUT_TOKENS: Instrument(f"{_METRIC}usage.input_tokens", "{token}", "Input tokens, cached ones included"),
    OUTPUT_TOKENS: Instrument(f"{_METRIC}usage.output_tokens", "{token}", "Output tokens, reasoning included"),
    CACHE_READ_TOKENS: Instrument(f"{_METRIC}usage.cache_read.input_tokens", "{token}", "Input tokens from a cache"),
    CACHE_WRITE_TOKENS: Instrument(f"{_METRIC}usage.cache_write.input_tokens", "{token}", "Input tokens to a cache"),
    REASONING_TOKENS: Instrument(f"{_METRIC}usage.reasoning.output_tokens", "{token}", "Output tokens of reasoning"),
    COST: Instrument(COST, "{USD}", "Cost of requests"),
}
