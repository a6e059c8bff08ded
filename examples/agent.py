"""An agent that reads and writes files of a folder, and asks an MCP server.

Run it with `python agent.py notes "Which of the books in wishes.txt does the library have?"`.
"""

import sys
from pathlib import Path
from typing import Any

from mcp import StdioServerParameters

from ferroscope import Messages, llm
from ferroscope.mcp import MCPToolKit, stdio_client
from ferroscope.tools import FileSystemToolKit

MAX_STEPS = 10
BOOKS = StdioServerParameters(command=sys.executable, args=[str(Path(__file__).with_name("book_server.py"))])


def run(folder: Path, task: str) -> str:
    """Let the model call tools until it answers."""
    with stdio_client(BOOKS) as books:
        tools = [*FileSystemToolKit(base_directory=folder).create_tools(), *MCPToolKit.of_sync(books).create_tools()]

        @llm.call("openai/gpt-4o-mini", tools=tools)
        def step(history: list[Any]) -> list[Any]:
            return history

        history: list[Any] = [Messages.System("Use the tools. Answer in one sentence."), Messages.User(task)]
        for _ in range(MAX_STEPS):
            response = step(history)
            outputs = []
            for tool in response.tools or []:
                print(f"-> {tool._name()} {tool.args}", file=sys.stderr)
                outputs.append((tool, tool.call()))
            history += [response.message_param, *response.tool_message_params(outputs)]
            if not outputs:
                return response.content
    return "The agent has used all of its steps."


if __name__ == "__main__":
    print(run(Path(sys.argv[1]), sys.argv[2]))
