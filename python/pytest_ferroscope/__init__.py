"""A pytest plugin for programs that use Ferroscope: a provider server, cassettes, a network block and costs.

pytest loads it by itself. It imports Ferroscope when a test uses one of its fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from ferroscope.prices import Meter
    from ferroscope.testing import ProviderServer, RecordMode

    AssertCosts = Callable[..., AbstractContextManager[Meter]]

RECORD = "--ferroscope-record"
_OPTION = "ferroscope_record"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for cassettes, and the setting of the network block."""
    group = parser.getgroup("ferroscope", "calls of large language models")
    group.addoption(
        RECORD,
        dest=_OPTION,
        choices=("none", "once", "new", "all"),
        default="none",
        help="cassettes: replay only (none, the default), record missing files (once) or unknown requests (new), or "
        "record everything again (all). Recording needs the keys of the providers.",
    )
    parser.addini("ferroscope_block_network", "refuse connections to other machines in all tests", "bool", False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of cassettes."""
    config.addinivalue_line(
        "markers", "cassette(path): the file of the fixture `cassette`, relative to the test's folder"
    )


@pytest.fixture
def provider_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    """Return a running `ferroscope.testing.ProviderServer`. Default clients of every provider connect to it.

    The environment variables of all providers have the server's address and the key `test-key` during the test.
    """
    from ferroscope.testing import ProviderServer

    from ._environment import server_environment

    with ProviderServer() as server:
        _set(monkeypatch, server_environment(server))
        yield server


@pytest.fixture
def cassette(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    """Return a server that answers from the test's cassette, `cassettes/<module>/<test>.json` beside the test.

    With `--ferroscope-record=once` it records the cassette: requests go on to the providers, with their real keys.
    """
    from ferroscope.testing import Cassette, ProviderServer

    from ._environment import server_environment, upstreams

    mode = cast("RecordMode", request.config.getoption(_OPTION))
    path = _cassette_path(request)
    if mode == "none" and not path.exists():
        pytest.fail(f"there is no cassette {path}: record it with pytest {RECORD}=once", pytrace=False)
    tape = Cassette(path, mode=mode, upstream=upstreams())
    with ProviderServer(default=tape) as server:
        _set(monkeypatch, server_environment(server, with_keys=mode == "none"))
        yield server


@pytest.fixture
def assert_costs() -> AssertCosts:
    """Return a context manager that checks what the calls in its block cost, in USD.

        with assert_costs(at_most="0.01"):
            ask("...")

    Args of the context manager: `exactly` or `at_most`, as str, int or Decimal. Its value is the `prices.Meter`.
    An unknown cost fails the test.
    """
    from ._costs import assert_costs

    return assert_costs


@pytest.fixture
def block_network() -> Iterator[None]:
    """Refuse connections of this process to other machines, and lookups of their names."""
    from ._network import blocked

    with blocked():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Block the network during a test and its fixtures, if the setting asks for that."""
    if not item.config.getini("ferroscope_block_network"):
        return (yield)
    from ._network import blocked

    with blocked():
        return (yield)


def _set(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


def _cassette_path(request: pytest.FixtureRequest) -> Path:
    folder = Path(request.node.path).parent
    marker: Any = request.node.get_closest_marker("cassette")
    if marker is not None:
        return folder / str(marker.args[0])
    name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
    return folder / "cassettes" / Path(request.node.path).stem / f"{name}.json"
