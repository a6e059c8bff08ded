"""Tools and toolkits have a configuration, and import no package before they need it."""

from __future__ import annotations

import subprocess
import sys
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError

import ferroscope.tools
from ferroscope.core.base import BaseTool, toolkit_tool
from ferroscope.errors import MissingExtraError
from ferroscope.tools import (
    HTTPX,
    AsyncHTTPX,
    DockerOperationToolKit,
    DuckDuckGoSearch,
    FileSystemToolKit,
    HTTPXConfig,
    ParseURLContent,
    Requests,
)
from ferroscope.tools.base import ConfigurableTool, ConfigurableToolKit, _ConfigurableToolConfig


class GreeterConfig(_ConfigurableToolConfig):
    greeting: str = "Hello"


class Greeter(ConfigurableTool[GreeterConfig]):
    """Greet a person."""

    __configurable_tool_config__ = GreeterConfig()
    __prompt_usage_description__: ClassVar[str] = """
    - `Greeter`: Greets a person
        - by name
    """

    name: str

    def call(self) -> str:
        return f"{self._get_config().greeting}, {self.name}!"


class Greeters(ConfigurableToolKit[GreeterConfig]):
    __namespace__: ClassVar[str | None] = "test_greeters"
    __prompt_usage_description__: ClassVar[str] = """
    - Greeters
    """
    config: GreeterConfig = GreeterConfig()
    suffix: str = Field("?", description="The end of the greeting")

    @toolkit_tool
    class Greet(Greeter):
        """Greet with {self.config.greeting}."""

        def call(self) -> str:
            return super().call() + self.suffix  # type: ignore[attr-defined]  # of the toolkit


def test_a_configured_tool_is_a_subclass_with_its_name() -> None:
    polite = Greeter.from_config(GreeterConfig(greeting="Good day"))
    assert issubclass(polite, Greeter) and polite._name() == "Greeter" and polite._description() == "Greet a person."
    assert polite(name="Ada").call() == "Good day, Ada!"
    assert Greeter(name="Ada").call() == "Hello, Ada!"
    assert polite.model_json_schema() == Greeter.model_json_schema()
    assert Greeter.from_config({"greeting": "Hi"})(name="Ada").call() == "Hi, Ada!"  # type: ignore[arg-type]
    assert Greeter.usage_description() == "- `Greeter`: Greets a person\n    - by name"
    assert GreeterConfig.from_env() == GreeterConfig()


def test_a_configuration_of_another_tool_is_refused() -> None:
    with pytest.raises(ValidationError, match="GreeterConfig"):
        Greeter.from_config(HTTPXConfig())  # type: ignore[arg-type]


def test_the_tools_of_a_toolkit_have_its_configuration() -> None:
    first, second = Greeters(config=GreeterConfig(greeting="Hi")), Greeters(suffix=".")
    (hi,), (hello,) = first.create_tools(), second.create_tools()
    assert (hi._name(), hi._description()) == ("test_greeters_Greet", "Greet with Hi.")
    assert [tool.model_validate({"name": "Ada"}).call() for tool in (hi, hello)] == ["Hi, Ada!?", "Hello, Ada!."]
    assert Greeters.usage_description() == "- Greeters"


@pytest.mark.parametrize("tool", [HTTPX, AsyncHTTPX, Requests, ParseURLContent, DuckDuckGoSearch])
def test_every_tool_describes_itself(tool: type[ConfigurableTool[_ConfigurableToolConfig]]) -> None:
    assert issubclass(tool, BaseTool)
    assert tool.usage_description().startswith("- `")
    assert tool._description().endswith(".")
    assert all("description" in field for field in tool.model_json_schema()["properties"].values())


@pytest.mark.parametrize(
    ("toolkit", "namespace", "names"),
    [
        (FileSystemToolKit, "file_system", ["CreateDirectory", "DeleteFile", "ListDirectory", "ReadFile", "WriteFile"]),
        (DockerOperationToolKit, "docker", ["ExecutePython", "ExecuteShell"]),
    ],
)
def test_every_toolkit_describes_itself(
    toolkit: type[FileSystemToolKit | DockerOperationToolKit], namespace: str, names: list[str]
) -> None:
    assert [tool._name() for tool in toolkit().create_tools()] == [f"{namespace}_{name}" for name in names]
    assert all(name in toolkit.usage_description() for name in names)


def test_the_names_are_imported_on_first_use() -> None:
    script = (
        "import sys, ferroscope.tools as t; assert 'pydantic' not in sys.modules;"
        "[getattr(t, name) for name in t.__all__];"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & set(sys.argv[1:])))"
    )
    packages = ["httpx", "requests", "bs4", "ddgs", "docker", "openai"]
    run = subprocess.run([sys.executable, "-c", script, *packages], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
    assert set(ferroscope.tools.__all__) <= set(dir(ferroscope.tools))


@pytest.mark.parametrize(
    ("tool", "package", "extra"),
    [
        (ParseURLContent(url="http://a.example"), "bs4", "parse-url"),
        (DuckDuckGoSearch(queries=["a"]), "ddgs", "duckduckgo"),
        (DockerOperationToolKit().create_tools()[0].model_validate({"code": "1"}), "docker", "docker"),
        (DockerOperationToolKit().create_tools()[1].model_validate({"command": "ls"}), "docker", "docker"),
    ],
    ids=["parse-url", "duckduckgo", "docker-python", "docker-shell"],
)
def test_a_missing_package_names_its_extra(
    tool: BaseTool, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'ferroscope\[{extra}\]'"):
        tool.call()
