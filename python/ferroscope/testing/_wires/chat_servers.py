"""OpenAI and compatible servers, as rows.

A row describes the server's recorded streams. For servers without recordings (Fireworks, GitHub, LM Studio, NVIDIA,
vLLM and the two compatible endpoints) it follows the vendor's documentation. Each row has the URL of that page.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ferroscope.testing._wires.chat_server import ChatServer, UsagePlace

__all__ = ["OPENAI", "SERVERS"]

OPENAI = ChatServer(  # https://platform.openai.com/docs/api-reference/chat-streaming
    name="openai",
    top={"service_tier": "default", "system_fingerprint": "fp_testing"},
    opening={"role": "assistant", "content": "", "refusal": None},
    choice={"logprobs": None, "finish_reason": None},
    usage_null=True,
)

_AT_FINISH = (UsagePlace("finish_chunk"),)
_ROLE = {"role": "assistant"}
_NO_CONTENT = {"role": "assistant", "content": ""}
_LOGPROBS = {"logprobs": None, "finish_reason": None}
_SAFE = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}

_ROWS = (
    ChatServer(  # https://console.groq.com/docs/api-reference#chat-create
        name="groq",
        path="",  # its SDK appends /openai/v1/chat/completions
        top={"system_fingerprint": "fp_testing"},
        first={"x_groq": {"id": "req_testing"}},
        last={"x_groq": {"id": "req_testing"}},
        choice=_LOGPROBS,
        reasoning="reasoning",
        tool_shape="whole",
        usage=(UsagePlace("finish_chunk", ("x_groq", "usage")), UsagePlace("own_chunk", asked=True)),
        usage_extra={"queue_time": 0.05, "prompt_time": 0.01, "completion_time": 0.1, "total_time": 0.11},
        stream_error="event",
    ),
    ChatServer(  # https://docs.x.ai/docs/api-reference#chat-completions
        name="xai",
        top={"system_fingerprint": "fp_testing"},
        opening=None,
        choice={},
        encrypted="encrypted_content",
        tool_shape="whole",
        citations="last_chunk",
        usage=(UsagePlace("own_chunk"),),
        usage_extra={"num_sources_used": 0, "cost_in_usd_ticks": "cost_ticks"},
        reasoning_beside=True,
        error="text",
    ),
    ChatServer(  # https://docs.mistral.ai/api/endpoint/chat
        name="mistral",
        path="",  # its SDK appends /v1/chat/completions
        finish_with_content=True,
        reasoning="content",
        tool_shape="whole",
        tool_index="missing",
        tool_id="call{:05}",  # the API accepts only ids of nine letters and digits
        tool_type=False,
        citations="references",
        usage=_AT_FINISH,
        usage_details=False,
        error="flat",
        padding="p",
    ),
    ChatServer(  # https://openrouter.ai/docs/api/reference/streaming
        name="openrouter",
        path="/api/v1",
        top={"provider": "Testing"},
        delta=_NO_CONTENT,
        choice={"finish_reason": None, "native_finish_reason": None, "logprobs": None},
        native_finish=True,
        reasoning="reasoning",
        reasoning_details=True,
        usage=(UsagePlace("own_chunk"),),
        usage_choice=True,
        usage_extra={"cost": "cost"},
        error="coded",
        stream_error="beside_choices",
        keep_alive="OPENROUTER PROCESSING",
    ),
    ChatServer(  # https://api-docs.deepseek.com/api/create-chat-completion
        name="deepseek",
        path="",
        top={"system_fingerprint": "fp_testing"},
        delta={"content": None, "reasoning_content": None},
        closing={"content": ""},
        choice=_LOGPROBS,
        usage=_AT_FINISH,
        usage_null=True,
        usage_extra={"prompt_cache_hit_tokens": "cached", "prompt_cache_miss_tokens": "uncached"},
    ),
    ChatServer(  # https://docs.together.ai/reference/chat-completions-1
        name="together",
        opening=None,
        delta=_ROLE,
        closing={"content": ""},
        choice={"logprobs": None, "finish_reason": None, "seed": None},
        usage=_AT_FINISH,
        usage_null=True,
        usage_details=False,
        usage_extra={"cached_tokens": "cached"},
    ),
    ChatServer(  # https://docs.fireworks.ai/api-reference/post-chatcompletions
        name="fireworks",
        path="/inference/v1",
        usage=_AT_FINISH,
    ),
    ChatServer(  # https://inference-docs.cerebras.ai/api-reference/chat-completions
        name="cerebras",
        top={"system_fingerprint": "fp_testing"},
        last={"time_info": {"queue_time": 0.05, "prompt_time": 0.01, "completion_time": 0.1, "total_time": 0.16}},
        opening=_ROLE,
        choice={},
        reasoning="reasoning",
        tool_shape="whole",
        usage=_AT_FINISH,
        done=False,
    ),
    ChatServer(  # https://docs.perplexity.ai/api-reference/chat-completions-post
        name="perplexity",
        path="",
        ids="changing",
        opening=None,
        closing=_NO_CONTENT,
        choice={},
        message_so_far=True,
        citations="every_chunk",
        usage=(UsagePlace("every_chunk"),),
        usage_details=False,
        usage_extra={"cost.total_cost": "cost"},
        error="coded",
        line_end="\r\n",
        done=False,
    ),
    ChatServer(  # https://platform.moonshot.ai/docs/api/chat
        name="moonshot",
        usage=(UsagePlace("finish_chunk", "choice"), UsagePlace("own_chunk", asked=True)),
        usage_extra={"cached_tokens": "cached"},
    ),
    ChatServer(  # https://docs.z.ai/api-reference/llm/chat-completion
        name="zai",
        path="/api/paas/v4",
        opening=None,
        delta=_ROLE,
        closing={"content": ""},
        choice={},
        tool_shape="whole",
        tool_index="minus_one",
        usage=_AT_FINISH,
    ),
    ChatServer(  # https://docs.api.nvidia.com/nim/reference/llm-apis
        name="nvidia",
        choice=_LOGPROBS,
        usage_details=False,
    ),
    ChatServer(  # https://huggingface.co/docs/inference-providers/tasks/chat-completion
        name="huggingface",
        usage_details=False,
        error="text",
        data="data:",
        done=False,
    ),
    ChatServer(  # https://docs.github.com/en/rest/models/inference
        name="github",
        path="/inference",
        prelude={
            "choices": [],
            "created": 0,
            "id": "",
            "model": "",
            "object": "",
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE}],
        },
        choice={"content_filter_results": {}, "logprobs": None, "finish_reason": None},
    ),
    ChatServer(  # https://vercel.com/docs/ai-gateway/openai-compat
        name="vercel",
        opening=_ROLE,
        choice=_LOGPROBS,
        reasoning="reasoning",
        reasoning_details=True,
        usage=_AT_FINISH,
        usage_extra={"cost": "cost", "market_cost": "cost"},
    ),
    ChatServer(  # https://docs.ollama.com/api/openai-compatibility
        name="ollama",
        top={"system_fingerprint": "fp_ollama"},
        opening=None,
        delta=_NO_CONTENT,
        reasoning="reasoning",
        tool_shape="together",
        usage_details=False,
    ),
    ChatServer(  # https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html
        name="vllm",
        choice={"logprobs": None, "finish_reason": None, "token_ids": None},
        usage_details=False,
    ),
    ChatServer(  # https://lmstudio.ai/docs/developer/openai-compat
        name="lmstudio",
        top={"system_fingerprint": "fp_testing"},
        opening=None,
        delta=_ROLE,
        choice=_LOGPROBS,
        usage_details=False,
    ),
    ChatServer(  # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
        name="llamacpp",
        top={"system_fingerprint": "b1-testing"},
        last={"timings": {"cache_n": 0, "prompt_n": 10, "prompt_ms": 9.5, "predicted_n": 20, "predicted_ms": 80.5}},
        opening={"role": "assistant", "content": None},
        tool_opening=False,
        usage_details=False,
        error="coded",
        stream_error="field",
    ),
    ChatServer(  # https://ai.google.dev/gemini-api/docs/openai
        name="google-compat",
        path="/v1beta/openai",
        opening=None,
        delta=_ROLE,
        tool_shape="whole",
        tool_index="missing",
        thought_signatures=True,
        usage_details=False,
        error="google",
    ),
    ChatServer(  # https://platform.claude.com/docs/en/api/openai-sdk
        name="anthropic-compat",
        opening=_ROLE,
        tool_index="from_one",
        usage_details=False,
    ),
    ChatServer(  # an invented server with the oddities that no other row has
        name="oddity",
        ids="empty",
        opening={"role": ""},
        delta={"role": None, "content": None, "refusal": None, "tool_calls": None, "function_call": None},
        choice={},
        finish_with_content=True,
        finish_words={"stop": "eos", "tool_calls": "stop"},
        tool_shape="whole",
        tool_index="zero",
        usage=(UsagePlace("every_chunk", ("meta", "usage")),),
        error="text",
        stream_error="field",
        keep_alive="ping",
        line_end="\r\n",
        done=False,
    ),
)

SERVERS: Mapping[str, ChatServer] = MappingProxyType({row.name: row for row in (OPENAI, *_ROWS)})
"""The rows by name. `dataclasses.replace` makes variants of them."""
