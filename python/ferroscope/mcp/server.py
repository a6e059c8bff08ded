"""v1's MCP server, over the server of the package mcp. Deprecated, as in v1: write new servers with that package."""

from __future__ import annotations

import inspect
import json
import warnings
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, cast

from docstring_parser import parse
from mcp.server.lowlevel import Server

from ..core.base._tools.output import outputs_as_text
from ..core.base.message_param import BaseMessageParam, ImagePart, TextPart
from ..core.base.prompt import prompt_template
from ..core.base.tool import BaseTool, provider_tool_type
from ._sdk import MAJOR, as_wire, types
from .tools import MCPTool

# Any in this module: the user's own functions, and the SDK's types, whose attributes differ between the majors.
_FunctionT = TypeVar("_FunctionT", bound=Callable[..., Any])


class MCPServer:
    """A server of tools, resources and prompts over stdio. Deprecated, as in v1.

    Args:
        name: The name of the server.
        version: Its version.
        tools: Functions and tool classes.
        resources: Pairs of a resource and a function without arguments that returns its text or bytes.
        prompts: Prompt functions.

    Example:
        ```python
        server = MCPServer("books")


        @server.tool()
        def find_book(genre: str) -> str:
            \"\"\"Find a book.\"\"\"
            return f"Dune ({genre})"


        asyncio.run(server.run())
        ```
    """

    def __init__(
        self,
        name: str,
        version: str = "1.0.0",
        tools: list[Callable[..., Any] | type[BaseTool]] | None = None,
        resources: list[tuple[Any, Callable[..., Any]]] | None = None,
        prompts: list[Callable[..., Any]] | None = None,
    ) -> None:
        warnings.warn(
            "MCPServer is deprecated, as in Mirascope v1: use the server of the package mcp, "
            "`mcp.server.mcpserver.MCPServer` (mcp 2) or `mcp.server.fastmcp.FastMCP` (mcp 1)",
            DeprecationWarning,
            stacklevel=2,
        )
        self.name = name
        self.version = version
        self.tools: dict[str, type[BaseTool]] = {}
        self.resources: dict[str, tuple[Any, Callable[..., Any]]] = {}
        self.prompts: dict[str, tuple[Any, Callable[..., Any]]] = {}
        for tool in tools or ():
            self.tool()(tool)
        for resource, fn in resources or ():
            _add(self.resources, str(resource.uri), (resource, fn), "resource")
        for prompt in prompts or ():
            self.prompt()(prompt)

    def tool(self) -> Callable[[Callable[..., Any] | type[BaseTool]], type[BaseTool]]:
        """Return a decorator that adds a function or a tool class, and returns its tool class."""

        def decorate(tool: Callable[..., Any] | type[BaseTool]) -> type[BaseTool]:
            base: Any = MCPTool
            tool_type: type[BaseTool] = provider_tool_type(tool, base)
            _add(self.tools, tool_type._name(), tool_type, "tool")
            return tool_type

        return decorate

    def resource(
        self, uri: str, name: str | None = None, description: str | None = None, mime_type: str | None = None
    ) -> Callable[[_FunctionT], _FunctionT]:
        """Return a decorator that adds a function without arguments as a resource.

        Args:
            uri: The URI of the resource.
            name: Its name; by default that of the function.
            description: Its description; by default the docstring of the function.
            mime_type: The type of its content.
        """

        def decorate(fn: _FunctionT) -> _FunctionT:
            facts = {
                "uri": uri,
                "name": name or fn.__name__,
                "description": description or inspect.getdoc(fn),
                "mimeType": mime_type,
            }
            _add(self.resources, uri, (types.Resource.model_validate(_given(facts)), fn), "resource")
            return fn

        return decorate

    def prompt(self, template: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return a decorator that adds a prompt function, and returns it as a function that returns messages.

        Args:
            template: The string template; None if the function returns the prompt.
        """

        def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
            decorator: Any = prompt_template() if template is None else prompt_template(template)
            rendered: Callable[..., Any] = decorator(fn)
            doc = parse(inspect.getdoc(fn) or "")
            described = {parameter.arg_name: parameter.description for parameter in doc.params}
            arguments = [
                _given(
                    {
                        "name": name,
                        "description": described.get(name),
                        "required": parameter.default is parameter.empty,
                    }
                )
                for name, parameter in inspect.signature(fn).parameters.items()
            ]
            facts = {"name": fn.__name__, "description": doc.short_description, "arguments": arguments}
            _add(self.prompts, fn.__name__, (types.Prompt.model_validate(_given(facts)), rendered), "prompt")
            return rendered

        return decorate

    async def run(self) -> None:
        """Serve over stdin and stdout until the client disconnects."""
        from mcp.server.stdio import stdio_server

        server = self._sdk_server()
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    def _sdk_server(self) -> Any:
        handlers: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        if self.tools:
            handlers |= {"list_tools": self._list_tools, "call_tool": self._call_tool}
        if self.resources:
            handlers |= {"list_resources": self._list_resources, "read_resource": self._read_resource}
        if self.prompts:
            handlers |= {"list_prompts": self._list_prompts, "get_prompt": self._get_prompt}
        make: Any = Server
        if MAJOR > 1:
            return make(self.name, version=self.version, **{f"on_{k}": _of_context(h) for k, h in handlers.items()})
        server = make(self.name, version=self.version)
        for name, handler in handlers.items():
            request = getattr(types, f"{name.title().replace('_', '')}Request")
            server.request_handlers[request] = _of_request(handler)
        return server

    # ---- requests

    async def _list_tools(self, params: Any) -> Any:
        tools = [
            {"name": name, "description": tool._description(), "inputSchema": tool.model_json_schema()}
            for name, tool in self.tools.items()
        ]
        return types.ListToolsResult.model_validate({"tools": tools})

    async def _call_tool(self, params: Any) -> Any:
        try:
            tool_type = self.tools.get(params.name)
            if tool_type is None:
                raise LookupError(f"unknown tool {params.name!r}")
            arguments = json.dumps(params.arguments or {})
            tool = tool_type.from_arguments(id=None, name=params.name, arguments=arguments)
            ((_, output),) = outputs_as_text([(tool, await _awaited(tool.call()))])
        except Exception as error:  # the client receives it as the result
            return _result(f"{type(error).__name__}: {error}", is_error=True)
        return _result(output)

    async def _list_resources(self, params: Any) -> Any:
        return types.ListResourcesResult(resources=[resource for resource, _ in self.resources.values()])

    async def _read_resource(self, params: Any) -> Any:
        uri = str(params.uri)
        # pydantic's URLs of mcp 1 end with a slash.
        found = self.resources.get(uri) or self.resources.get(uri.removesuffix("/")) or self.resources.get(f"{uri}/")
        if found is None:
            raise ValueError(f"unknown resource {uri!r}")
        resource, fn = found
        content = await _awaited(fn())
        facts = {"uri": uri, "mimeType": as_wire(resource).get("mimeType")}
        if isinstance(content, bytes):
            contents: Any = types.BlobResourceContents.model_validate(_given({**facts, "blob": _base64(content)}))
        else:
            contents = types.TextResourceContents.model_validate(_given({**facts, "text": str(content)}))
        return types.ReadResourceResult(contents=[contents])

    async def _list_prompts(self, params: Any) -> Any:
        return types.ListPromptsResult(prompts=[prompt for prompt, _ in self.prompts.values()])

    async def _get_prompt(self, params: Any) -> Any:
        found = self.prompts.get(params.name)
        if found is None:
            raise ValueError(f"unknown prompt {params.name!r}")
        prompt, fn = found
        rendered: list[BaseMessageParam] = await _awaited(fn(**(params.arguments or {})))
        messages = [
            {"role": "assistant" if message.role == "assistant" else "user", "content": content}
            for message in rendered
            for content in _contents(message)
        ]
        return types.GetPromptResult.model_validate(_given({"description": prompt.description, "messages": messages}))


def _add(known: dict[str, Any], name: str, value: Any, kind: str) -> None:
    """Add a part of a server.

    Raises:
        KeyError: There is a part with this name already. The class is the one of v1.
    """
    if name in known:
        raise KeyError(f"the {kind} {name!r} already exists")
    known[name] = value


def _contents(message: BaseMessageParam) -> Iterable[dict[str, Any]]:
    """Yield the parts of a message, which are one message each in MCP.

    Raises:
        ValueError: A part is neither text nor an image.
    """
    parts = [TextPart(type="text", text=message.content)] if isinstance(message.content, str) else message.content
    for part in parts:
        if isinstance(part, TextPart):
            yield {"type": "text", "text": part.text}
        elif isinstance(part, ImagePart):
            yield {"type": "image", "data": _base64(part.image), "mimeType": part.media_type}
        else:
            raise ValueError(f"a prompt of an MCP server has only texts and images, not {type(part).__name__}")


def _result(text: str, *, is_error: bool = False) -> Any:
    content = [{"type": "text", "text": text}]
    return types.CallToolResult.model_validate({"content": content, "isError": is_error})


def _of_context(handler: Callable[[Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
    return lambda context, params: handler(params)


def _of_request(handler: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    async def handle(request: Any) -> Any:
        return cast("Any", types).ServerResult(await handler(request.params))

    return handle


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _given(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
