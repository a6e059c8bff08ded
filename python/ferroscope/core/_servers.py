"""Servers with OpenAI's chat completions API, one row of data per server."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .._dialects.openai_chat.dialect import OpenAIChat
from .._dialects.openai_chat.sdk import SERVER_SDK
from .._dialects.openai_chat.server import Server
from .._dialects.openai_responses.choice import CHAT, RESPONSES
from .._dialects.openai_responses.dialect import RESPONSES_METHOD, OpenAIResponses
from .._engine.provider import Provider
from ..prices import FREE
from .base.quirks import Quirks
from .openai._provider import OPENAI, OPENAI_RESPONSES

# Responses: reasoning is read from either field. Requests: each row lists the fields that the server accepts.
_REASONING_CONTENT: Final = Quirks(reasoning_back=("reasoning_content",))
_REASONING: Final = Quirks(reasoning_fields=("reasoning", "reasoning_content"), reasoning_back=("reasoning",))
_NO_REASONING_BACK: Final = Quirks(reasoning_back=())

_ROWS: Final = (
    # https://platform.claude.com/docs/en/api/openai-sdk
    Server(
        name="anthropic-compat",
        base_url="https://api.anthropic.com/v1",
        api_key_env="ANTHROPIC_API_KEY",
        prices="anthropic",
        quirks=_NO_REASONING_BACK,
    ),
    # https://inference-docs.cerebras.ai/resources/openai
    Server(
        name="cerebras",
        base_url="https://api.cerebras.ai/v1",
        api_key_env="CEREBRAS_API_KEY",
        quirks=_REASONING,
    ),
    # https://api-docs.deepseek.com/guides/thinking_mode: the server rejects a tool loop without `reasoning_content`.
    Server(
        name="deepseek",
        base_url="https://api.deepseek.com",
        api_key_env="DEEPSEEK_API_KEY",
        quirks=_REASONING_CONTENT,
        responses=True,
    ),
    # https://docs.fireworks.ai/tools-sdks/openai-compatibility
    Server(
        name="fireworks",
        base_url="https://api.fireworks.ai/inference/v1",
        api_key_env="FIREWORKS_API_KEY",
        quirks=_REASONING_CONTENT,
    ),
    # https://docs.github.com/en/github-models/quickstart: usage is free within rate limits.
    Server(
        name="github",
        base_url="https://models.github.ai/inference",
        api_key_env="GITHUB_TOKEN",
        quirks=_NO_REASONING_BACK,
    ),
    # https://ai.google.dev/gemini-api/docs/openai
    Server(
        name="google-compat",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        api_key_env="GEMINI_API_KEY",
        prices="google",
        quirks=_NO_REASONING_BACK,
    ),
    # https://huggingface.co/docs/inference-providers/index
    Server(
        name="huggingface",
        base_url="https://router.huggingface.co/v1",
        api_key_env="HF_TOKEN",
        quirks=Quirks(usage_in="x_groq"),  # for calls that the router sends to Groq
    ),
    # https://github.com/ggml-org/llama.cpp/tree/master/tools/server
    Server(
        name="llamacpp",
        base_url="http://localhost:8080/v1",
        prices=FREE,
        quirks=_REASONING_CONTENT,
        responses=True,
    ),
    # https://lmstudio.ai/docs/app/api/endpoints/openai
    Server(
        name="lmstudio",
        base_url="http://localhost:1234/v1",
        prices=FREE,
        quirks=_NO_REASONING_BACK,
        responses=True,
    ),
    # https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model
    Server(
        name="moonshot",
        base_url="https://api.moonshot.ai/v1",
        api_key_env="MOONSHOTAI_API_KEY",
        quirks=_REASONING_CONTENT,
    ),
    # https://docs.api.nvidia.com/nim/reference/llm-apis
    Server(
        name="nvidia",
        base_url="https://integrate.api.nvidia.com/v1",
        api_key_env="NVIDIA_API_KEY",
        quirks=_NO_REASONING_BACK,
    ),
    # https://docs.ollama.com/api/openai-compatibility
    Server(
        name="ollama",
        base_url="http://localhost:11434/v1",
        prices=FREE,
        quirks=_REASONING,
        responses=True,
    ),
    # https://openrouter.ai/docs/guides/best-practices/reasoning-tokens, documents: /docs/features/multimodal/pdfs
    Server(
        name="openrouter",
        base_url="https://openrouter.ai/api/v1",
        api_key_env="OPENROUTER_API_KEY",
        quirks=Quirks(
            reasoning_fields=("reasoning", "reasoning_content"),
            reasoning_back=("reasoning_details", "reasoning"),
            documents=True,
            cache_control=True,
        ),
        responses=True,
    ),
    # https://docs.perplexity.ai/guides/chat-completions-guide
    Server(
        name="perplexity",
        base_url="https://api.perplexity.ai",
        api_key_env="PERPLEXITY_API_KEY",
        quirks=_NO_REASONING_BACK,
    ),
    # https://docs.together.ai/docs/openai-api-compatibility
    Server(
        name="together",
        base_url="https://api.together.xyz/v1",
        api_key_env="TOGETHER_API_KEY",
        quirks=Quirks(finish_reasons={"eos": "stop"}, reasoning_back=()),
    ),
    # https://vercel.com/docs/ai-gateway/sdks-and-apis/openai-chat-completions
    Server(
        name="vercel",
        base_url="https://ai-gateway.vercel.sh/v1",
        api_key_env="AI_GATEWAY_API_KEY",
        prices="vercel_ai_gateway",
        quirks=Quirks(reasoning_back=("reasoning_details", "reasoning")),
    ),
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    Server(
        name="vllm",
        base_url="http://localhost:8000/v1",
        prices=FREE,
        quirks=_REASONING,
        responses=True,
    ),
    # https://docs.z.ai/guides/develop/openai/python
    Server(
        name="zai",
        base_url="https://api.z.ai/api/paas/v4",
        api_key_env="ZAI_API_KEY",
        quirks=_REASONING_CONTENT,
    ),
)

SERVERS: Final = {row.name: row for row in _ROWS}


def server_record(server: Server) -> Provider:
    """Return the record of a server."""
    identity = server.identity()
    apis = {}
    if server.responses:
        dialect = OpenAIResponses(server.name, server.quirks, RESPONSES_METHOD)
        apis[RESPONSES] = replace(OPENAI_RESPONSES, dialect=dialect, **identity)
    dialect_of_chat = OpenAIChat(server.name, server.quirks, SERVER_SDK)
    # Some of these servers accept parameters in chat that OpenAI accepts only in the Responses API. So no parameter
    # selects that API.
    return replace(OPENAI, dialect=dialect_of_chat, api=CHAT if apis else "", apis=apis, choose_api=None, **identity)
