"""The tool of an `llm` call, the same for every provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.base.tool import BaseTool

if TYPE_CHECKING:

    class _Meta(type(BaseTool)):  # type: ignore[misc]
        pass
else:

    class _Meta(type(BaseTool)):
        """A metaclass that makes every tool an instance of `Tool`."""

        def __instancecheck__(cls, instance: object) -> bool:
            if cls is _tool_class():
                return isinstance(instance, BaseTool)
            return super().__instancecheck__(instance)


def _tool_class() -> object:
    return globals().get("Tool")


class Tool(BaseTool, metaclass=_Meta):
    '''A tool that the model called.

    The tools of all providers share one interface: `args`, `call()`, `id`, `delta`. So there is no wrapper: the object
    is the provider's own tool and an instance of the user's tool class.

    Example:
        ```python
        from ferroscope import llm


        def get_book_author(title: str) -> str:
            """Return the author of the book with the given title."""
            return "Patrick Rothfuss"


        @llm.call(provider="openai", model="gpt-4o-mini", tools=[get_book_author])
        def identify_author(book: str) -> str:
            return f"Who wrote {book}?"


        if tool := identify_author("The Name of the Wind").tool:  # isinstance(tool, llm.Tool)
            print(tool.call())
        ```
    '''

    if TYPE_CHECKING:

        @property
        def tool_call(self) -> object:
            """The SDK's own object of the call, whose class depends on the provider."""
            ...

    def __new__(cls, tool: BaseTool) -> Any:  # Any: the class of the passed tool
        return tool
