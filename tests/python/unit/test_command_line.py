"""The command line: what each command shows, and what it never shows."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

import pytest

import ferroscope
from ferroscope import _doctor
from ferroscope.__main__ import main


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_the_version(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(arguments)
    except SystemExit as end:  # as argparse shows it
        status = int(end.code or 0)
    assert (status, capsys.readouterr().out) == (0, f"ferroscope {ferroscope.__version__}\n")


@pytest.mark.parametrize("command", ["decode", "demo", "doctor", "prices", "version"])
def test_each_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert end.value.code == 0
    assert shown.startswith(f"usage: ferroscope {command} ")
    assert re.search(r"\n\nShow [^\n]+", shown)


def test_the_doctor_shows_sdks_keys_transports_and_prices(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    monkeypatch.setenv("FERROSCOPE_TRANSPORT", "httpx")
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "sk-secret" not in shown
    for line in (
        f"openai +openai {version('openai')} +OPENAI_API_KEY is set",
        r"groq +groq \d\S+ +GROQ_API_KEY is not set",
        r"ollama +openai \S+ +needs no key",
        "FERROSCOPE_TRANSPORT +'httpx'",
        r"table +\d{4}-\d\d-\d\d, -?\d+ days old, \d+ models",
        r"providers without prices +.*\bnvidia\b",
    ):
        assert re.search(rf"^  {line}", shown, re.MULTILINE), line


def test_the_doctor_looks_up_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "openai/gpt-4o", "gpt-4o"]) == 0
    assert main(["doctor", "gpt-4o", "acme/never-heard-of"]) == 1
    assert re.search(r"^  acme/never-heard-of +has no price", capsys.readouterr().out, re.MULTILINE)


def test_the_doctor_shows_a_missing_sdk(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(distribution: str) -> str:
        if distribution == "groq":
            raise PackageNotFoundError(distribution)
        return version(distribution)

    monkeypatch.setattr(_doctor, "version", installed)
    assert main(["doctor"]) == 0
    assert re.search(r"^  groq +groq is not installed", capsys.readouterr().out, re.MULTILINE)
