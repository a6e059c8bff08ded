"""A provider's server of its own for each test, and the SDK's variables for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ferroscope.testing import ProviderServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    with ProviderServer(default="Hello") as running:
        monkeypatch.setenv("OPENAI_API_KEY", "test-key")
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url("openai"))
        yield running
