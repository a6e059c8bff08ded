"""The base classes of tools and toolkits with a configuration."""

from __future__ import annotations

import inspect
from abc import ABC
from types import new_class
from typing import ClassVar, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from ..core.base.tool import BaseTool
from ..core.base.toolkit import BaseToolKit

__all__ = ["ConfigurableTool", "ConfigurableToolKit"]


class _ConfigurableToolConfig(BaseModel, ABC):
    """The base class of configurations, whose values the program sets and the model does not see."""

    @classmethod
    def from_env(cls: type[_ConfigurableToolConfigT]) -> _ConfigurableToolConfigT:
        """Return the configuration with its defaults. A subclass may read environment variables."""
        return cls()


_ConfigurableToolConfigT = TypeVar("_ConfigurableToolConfigT", bound=_ConfigurableToolConfig)


class ConfigurableTool(BaseTool, Generic[_ConfigurableToolConfigT], ABC):
    '''A tool with a configuration and a description for prompts.

    A subclass sets `__configurable_tool_config__` and `__prompt_usage_description__`.

    Example:
        ```python
        from ferroscope.tools.base import ConfigurableTool, _ConfigurableToolConfig


        class GreeterConfig(_ConfigurableToolConfig):
            greeting: str = "Hello"


        class Greeter(ConfigurableTool[GreeterConfig]):
            """Greet a person."""

            __configurable_tool_config__ = GreeterConfig()
            __prompt_usage_description__ = "- `Greeter`: Greets a person"

            name: str

            def call(self) -> str:
                return f"{self._get_config().greeting}, {self.name}!"


        Greeter.from_config(GreeterConfig(greeting="Hi"))(name="Ada").call()  # 'Hi, Ada!'
        ```
    '''

    # A class variable cannot have the type of a type variable.
    __configurable_tool_config__: ClassVar[_ConfigurableToolConfig]
    __prompt_usage_description__: ClassVar[str]
    model_config = ConfigDict(arbitrary_types_allowed=True)

    @classmethod
    def _get_config(cls) -> _ConfigurableToolConfigT:
        """Return the configuration of this tool class."""
        return cast("_ConfigurableToolConfigT", cls.__configurable_tool_config__)

    @classmethod
    def from_config(cls: type[_ConfigurableToolT], config: _ConfigurableToolConfigT) -> type[_ConfigurableToolT]:
        """Return a subclass with the same name and another configuration.

        Args:
            config: The configuration, or a dict of its fields.

        Raises:
            pydantic.ValidationError: It is not a configuration of this tool.
        """
        validated = type(cls.__configurable_tool_config__).model_validate(config)
        namespace = {
            "__configurable_tool_config__": validated,
            "__doc__": cls.__doc__,
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
        }
        return cast(
            "type[_ConfigurableToolT]", new_class(cls.__name__, (cls,), exec_body=lambda body: body.update(namespace))
        )

    @classmethod
    def usage_description(cls) -> str:
        """Return the description of this tool for a prompt."""
        return inspect.cleandoc(cls.__prompt_usage_description__)


_ConfigurableToolT = TypeVar("_ConfigurableToolT", bound=ConfigurableTool)  # type: ignore[type-arg]  # of any config


class ConfigurableToolKit(BaseToolKit, Generic[_ConfigurableToolConfigT], ABC):
    """A toolkit whose tools share its configuration.

    A subclass sets `__prompt_usage_description__`.

    Attributes:
        config: The configuration of the toolkit.
    """

    config: _ConfigurableToolConfigT
    __prompt_usage_description__: ClassVar[str]
    model_config = ConfigDict(arbitrary_types_allowed=True)

    def create_tools(self) -> list[type[BaseTool]]:
        """Return the toolkit's tools with its configuration, in alphabetical order."""
        tools = super().create_tools()
        for tool in tools:
            if issubclass(tool, ConfigurableTool):
                tool.__configurable_tool_config__ = self.config
        return tools

    @classmethod
    def usage_description(cls) -> str:
        """Return the description of this toolkit for a prompt."""
        return inspect.cleandoc(cls.__prompt_usage_description__)
