"""A server that the default clients of all providers of `llm` find."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ferroscope.testing import ProviderServer


@pytest.fixture(scope="session")
def _llm_server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_llm_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _llm_server.forget()
    _llm_server.reply_always("Hello there")
    url = _llm_server.base_url("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", _llm_server.base_url("anthropic"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", _llm_server.base_url("azure"))
    monkeypatch.setenv("OLLAMA_BASE_URL", url)
    monkeypatch.setenv("VLLM_BASE_URL", url)
    return _llm_server
