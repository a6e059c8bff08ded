"""The Docker tools run code within limits, with docker's own client against a daemon on loopback."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ferroscope.tools import DockerOperationToolKit, DockerOperationToolKitConfig
from ferroscope.tools.system._docker_operation import DockerContainer

docker: Any = pytest.importorskip("docker")
needs_timeout = pytest.mark.skipif(shutil.which("timeout") is None, reason="the command `timeout` is missing")
pytestmark = needs_timeout


def load_daemon() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docker_daemon", Path(__file__).with_name("docker_daemon.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    daemon = load_daemon().DockerDaemon(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", daemon.url)
    monkeypatch.delenv("DOCKER_TLS_VERIFY", raising=False)
    yield daemon
    daemon.close()


@pytest.fixture
def toolkits() -> Iterator[list[DockerOperationToolKit]]:
    """The toolkits of a test, which are closed before the daemon."""
    made: list[DockerOperationToolKit] = []
    yield made
    for toolkit in made:
        toolkit.docker_container.close()


@pytest.fixture
def run(daemon: Any, toolkits: list[DockerOperationToolKit]) -> Any:
    def run(toolkit: DockerOperationToolKit, **arguments: Any) -> str:
        toolkits.append(toolkit)
        python, shell = toolkit.create_tools()
        answer = (python if "code" in arguments else shell).model_validate(arguments).call()
        assert isinstance(answer, str)
        return answer

    return run


def test_code_and_commands_run_in_one_container(run: Any, daemon: Any) -> None:
    toolkit = DockerOperationToolKit()
    assert run(toolkit, code="print('ä', 6 * 7)") == "ä 42\n"
    assert run(toolkit, command="echo out; echo err >&2; exit 3") == "out\nerr\n"
    assert "ZeroDivisionError" in run(toolkit, code="1 / 0")
    assert len(daemon.created) == 1


def test_the_container_has_few_rights(run: Any, daemon: Any) -> None:
    run(DockerOperationToolKit(config=DockerOperationToolKitConfig(max_memory="64m")), command="true")
    (created,) = daemon.created
    host = created["HostConfig"]
    assert created["Image"] == "python:3.13-slim" and created["NetworkDisabled"] is True
    assert host["Memory"] == host["MemorySwap"] == 64 * 1024**2 and host["PidsLimit"] == 128
    assert host["CapDrop"] == ["ALL"] and host["SecurityOpt"] == ["no-new-privileges"] and host["AutoRemove"] is True


def test_a_network_is_available_on_request(run: Any, daemon: Any) -> None:
    run(DockerOperationToolKit(config=DockerOperationToolKitConfig(allow_network=True)), command="true")
    assert daemon.created[0].get("NetworkDisabled", False) is False


def test_requirements_need_a_network(run: Any, daemon: Any) -> None:
    assert run(DockerOperationToolKit(), code="", requirements=["a"]) == (
        "Error: Network access is disabled. Cannot install requirements via pip."
    )
    assert daemon.created == []


def test_requirements_are_installed_first(
    run: Any, daemon: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stand-in for pip, because these tests have no network. It refuses the package "bad".
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "pip").write_text('#!/bin/sh\necho "$1 $2"; cat "$3"; ! grep -q bad "$3"\n')
    (commands / "pip").chmod(0o755)
    monkeypatch.setenv("PATH", str(commands), prepend=":")
    toolkit = DockerOperationToolKit(config=DockerOperationToolKitConfig(allow_network=True))
    assert run(toolkit, code="print(1)", requirements=["a", "b"]) == "1\n"
    assert run(toolkit, code="print(1)", requirements=["bad"]) == "Error installing requirements: install -r\nbad"


def test_a_slow_command_is_killed_with_its_container(run: Any, daemon: Any) -> None:
    toolkit = DockerOperationToolKit(config=DockerOperationToolKitConfig(timeout=1))
    answer = run(toolkit, command="echo begun; exec sleep 60")
    assert answer == "Error: The command was killed, after 1 seconds or for its use of memory. Output:\nbegun\n"
    assert daemon.removed == ["c1"]
    assert run(toolkit, command="echo again") == "again\n"
    assert len(daemon.created) == 2


def test_a_process_in_the_background_cannot_keep_the_output_open(run: Any, daemon: Any) -> None:
    toolkit = DockerOperationToolKit(config=DockerOperationToolKitConfig(timeout=1))
    answer = run(toolkit, command="sleep 5 & echo begun")
    assert answer == "Error: The command was still running after 1 seconds. Output:\nbegun\n"
    assert daemon.removed == ["c1"]


def test_endless_output_ends_at_the_limit(run: Any, daemon: Any) -> None:
    toolkit = DockerOperationToolKit(config=DockerOperationToolKitConfig(max_output_bytes=1000))
    answer = run(toolkit, command="exec yes")
    assert answer == "Error: The output is larger than 1000 bytes. Output:\n" + "y\n" * 500
    assert daemon.removed == ["c1"]


def test_a_missing_daemon_is_reported(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert run(DockerOperationToolKit(), code="1").startswith("Error executing code: ")
    assert run(DockerOperationToolKit(), command="ls").startswith("Error executing command: ")


def test_a_container_is_shared_and_removed_with_its_owner(run: Any, daemon: Any) -> None:
    container = DockerContainer()
    kits = [DockerOperationToolKit(docker_container=container) for _ in range(2)]
    assert [run(kit, command="echo a") for kit in kits] == ["a\n", "a\n"]
    assert len(daemon.created) == 1
    container.close()
    assert daemon.removed == ["c1"]


def test_an_abandoned_container_is_removed(daemon: Any) -> None:
    container = DockerContainer()
    assert container.container.id == "c1"
    del container
    gc.collect()
    assert daemon.removed == ["c1"]


@pytest.mark.skipif(not Path("/var/run/docker.sock").exists(), reason="there is no Docker daemon")
def test_a_real_daemon_runs_code() -> None:
    image = DockerOperationToolKitConfig().docker_image
    with contextlib.closing(docker.from_env(timeout=2)) as client:
        try:
            client.images.get(image)
        except docker.errors.DockerException:
            pytest.skip(f"the image {image} is not on this machine")
    toolkit = DockerOperationToolKit()
    try:
        assert toolkit.create_tools()[0].model_validate({"code": "print(6 * 7)"}).call() == "42\n"
    finally:
        toolkit.docker_container.close()
