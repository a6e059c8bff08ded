"""Programs as people wrote them for v1, with the import changed, and the server that their default clients find."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ferroscope.testing import ProviderServer


@pytest.fixture(scope="session")
def _programs_server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def server(_programs_server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    _programs_server.forget()
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_BASE_URL", _programs_server.base_url("openai"))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", _programs_server.base_url("anthropic"))
    return _programs_server
