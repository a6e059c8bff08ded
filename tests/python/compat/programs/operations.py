"""Tools, agents, retries, fallbacks, middleware and the integrations."""

from __future__ import annotations

from ferroscope.testing import Answer, Status, Text, ToolCall, ToolCalls

from .program import Program, call

EMMA = "Emma"
BUSY = Status(429, headers={"x-should-retry": "false"})

PROGRAMS = [
    Program(
        "tool_class",
        (call("GetBookAuthor", title="Emma"),),
        '''
        from mirascope import BaseTool, llm
        from pydantic import Field

        class GetBookAuthor(BaseTool):
            """Returns the author of the book with the given title."""

            title: str = Field(..., description="The title of the book.")

            def call(self) -> str:
                return "Jane Austen" if self.title == "Emma" else "Unknown"

        @llm.call(provider="openai", model="gpt-4o-mini", tools=[GetBookAuthor])
        def identify_author(book: str) -> str:
            return f"Who wrote {book}"

        response = identify_author("Emma")
        if tool := response.tool:
            print(tool.call(), tool._name(), tool.args)
        else:
            print(response.content)
        ''',
        "Jane Austen GetBookAuthor {'title': 'Emma'}",
    ),
    Program(
        "tool_function_and_message",
        (call("get_book_author", title="Emma"), "It is by Jane Austen"),
        '''
        from mirascope import BaseDynamicConfig, BaseMessageParam, Messages, llm

        def get_book_author(title: str) -> str:
            """Returns the author of the book with the given title

            Args:
                title: The title of the book.
            """
            return "Jane Austen"

        @llm.call(provider="openai", model="gpt-4o-mini", tools=[get_book_author])
        def identify_author(book: str, history: list[BaseMessageParam]) -> Messages.Type:
            messages = [*history]
            if book:
                messages.append(Messages.User(f"Who wrote {book}?"))
            return messages

        history = []
        response = identify_author("Emma", history)
        history += [response.user_message_param, response.message_param]
        while tool := response.tool:
            tools_and_outputs = [(tool, tool.call())]
            history += response.tool_message_params(tools_and_outputs)
            response = identify_author("", history)
            history.append(response.message_param)
        print(response.content, [message.role for message in history])
        ''',
        "It is by Jane Austen ['user', 'assistant', 'tool', 'assistant']",
    ),
    Program(
        "tools_in_parallel",
        (Answer(ToolCalls(ToolCall("author", {"title": "a"}), ToolCall("author", {"title": "b"}))),),
        '''
        import asyncio
        from mirascope.core import openai

        async def author(title: str) -> str:
            """Returns the author."""
            return title.upper()

        @openai.call("gpt-4o-mini", tools=[author])
        async def identify_authors(books: list[str]) -> str:
            return f"Who wrote {books}?"

        async def main():
            response = await identify_authors(["a", "b"])
            print(await asyncio.gather(*[tool.call() for tool in response.tools]))

        asyncio.run(main())
        ''',
        "['A', 'B']",
    ),
    Program(
        "tool_validation_error",
        (call("Author", title="emma"),),
        '''
        from typing import Annotated
        from mirascope.core import BaseTool, openai
        from pydantic import AfterValidator, ValidationError

        def is_upper(v: str) -> str:
            assert v.isupper(), "Must be uppercase"
            return v

        class Author(BaseTool):
            """Returns the author."""

            title: Annotated[str, AfterValidator(is_upper)]

            def call(self) -> str:
                return "Jane Austen"

        @openai.call("gpt-4o-mini", tools=[Author])
        def ask(book: str) -> str:
            return f"Who wrote {book}?"

        response = ask("emma")
        try:
            print(response.tool.call())
        except ValidationError as e:
            print(e.error_count(), e.errors()[0]["msg"])
        ''',
        "1 Assertion failed, Must be uppercase",
    ),
    Program(
        "tool_few_shot_examples",
        (call("GetBookAuthor", title="Emma"),),
        '''
        from mirascope.core import BaseTool, openai
        from mirascope.core.base import ToolConfig
        from pydantic import ConfigDict, Field

        class GetBookAuthor(BaseTool):
            """Returns the author of the book with the given title."""

            title: str = Field(..., examples=["The Name of the Wind"])

            model_config = ConfigDict(json_schema_extra={"examples": [{"title": "The Name of the Wind"}]})

            def call(self) -> str:
                return "Jane Austen"

        @openai.call("gpt-4o-mini", tools=[GetBookAuthor])
        def identify_author(book: str) -> str:
            return f"Who wrote {book}?"

        function = identify_author("Emma").call_kwargs["tools"][0]["function"]
        print(function["description"], function["parameters"]["properties"]["title"]["examples"])
        ''',
        "Returns the author of the book with the given title. ['The Name of the Wind']",
    ),
    Program(
        "tool_strict",
        (call("GetBookAuthor", title="Emma"),),
        '''
        from mirascope.core import BaseTool, openai
        from mirascope.core.openai import OpenAIToolConfig

        class GetBookAuthor(BaseTool):
            """Returns the author."""

            tool_config = OpenAIToolConfig(strict=True)

            title: str

            def call(self) -> str:
                return "Jane Austen"

        @openai.call("gpt-4o-mini", tools=[GetBookAuthor])
        def identify_author(book: str) -> str:
            return f"Who wrote {book}?"

        response = identify_author("Emma")
        print(response.tool.call(), response.call_kwargs["tools"][0]["function"]["strict"])
        ''',
        "Jane Austen True",
    ),
    Program(
        "toolkit",
        (call("fantasy_book_kit_recommend_level", title="Emma", author="Jane Austen"),),
        '''
        from mirascope.core import BaseDynamicConfig, BaseToolKit, openai, prompt_template, toolkit_tool

        class BookTools(BaseToolKit):
            __namespace__ = "fantasy_book_kit"

            reading_level: str

            @toolkit_tool
            def recommend_level(self, title: str, author: str) -> str:
                """Returns the title and author of a book recommendation for {self.reading_level} readers.

                Args:
                    title: The title of the book.
                    author: The author of the book.
                """
                return f"{title} by {author} for a {self.reading_level}"

        @openai.call("gpt-4o-mini")
        @prompt_template("Recommend a {genre} book")
        def recommend_book(genre: str, reading_level: str) -> BaseDynamicConfig:
            return {"tools": BookTools(reading_level=reading_level).create_tools()}

        response = recommend_book("fantasy", "beginner")
        print(response.tool.call())
        print(response.call_kwargs["tools"][0]["function"]["description"].splitlines()[0])
        ''',
        "Emma by Jane Austen for a beginner\n"
        "Returns the title and author of a book recommendation for beginner readers.",
    ),
    Program(
        "tool_ready_made",
        (call("HTTPX", url="http://127.0.0.1/", method="GET"),),
        """
        from mirascope.core import openai
        from mirascope.tools import HTTPX, HTTPXConfig

        CustomHTTPX = HTTPX.from_config(HTTPXConfig(timeout=10))

        @openai.call("gpt-4o-mini", tools=[CustomHTTPX])
        def fetch(url: str) -> str:
            return f"Fetch {url}"

        tool = fetch("http://127.0.0.1/").tool
        print(tool.url, "not a public address" in tool.call())
        """,
        "http://127.0.0.1/ True",
    ),
    Program(
        "tool_file_system",
        (
            call("file_system_WriteFile", path="a.txt", content="Hello"),
            call("file_system_ReadFile", path="a.txt"),
        ),
        """
        import tempfile
        from pathlib import Path
        from mirascope.core import BaseDynamicConfig, openai, prompt_template
        from mirascope.tools import FileSystemToolKit

        root = Path(tempfile.mkdtemp())

        @openai.call("gpt-4o-mini")
        @prompt_template("Files: {query}")
        def files(query: str) -> BaseDynamicConfig:
            return {"tools": FileSystemToolKit(base_directory=root).create_tools()}

        for query in ("write", "read"):
            print(files(query).tool.call())
        """,
        "Successfully wrote to a.txt\nHello",
    ),
    Program(
        "agent_with_state",
        (call("_say", words="hello"), "I said it."),
        '''
        from mirascope.core import BaseMessageParam, BaseDynamicConfig, openai, prompt_template
        from pydantic import BaseModel

        class Agent(BaseModel):
            history: list = []
            said: list[str] = []

            def _say(self, words: str) -> str:
                """Says words.

                Args:
                    words: The words.
                """
                self.said.append(words)
                return "done"

            @openai.call("gpt-4o-mini")
            @prompt_template(
                """
                SYSTEM: You are a parrot.
                MESSAGES: {self.history}
                USER: {query}
                """
            )
            def _call(self, query: str) -> BaseDynamicConfig:
                return {"tools": [self._say]}

            def _step(self, query: str) -> str:
                if query:
                    self.history.append(BaseMessageParam(role="user", content=query))
                response = self._call("" if not query else query)
                self.history.append(response.message_param)
                tools_and_outputs = [(tool, tool.call()) for tool in response.tools or []]
                if tools_and_outputs:
                    self.history += response.tool_message_params(tools_and_outputs)
                    return self._step("")
                return response.content

        agent = Agent()
        print(agent._step("Say hello"), agent.said)
        ''',
        "I said it. ['hello']",
    ),
    Program(
        "agent_that_streams",
        (call("author", title="Emma"), Answer(Text("Jane Austen", ["Jane", " Austen"]))),
        '''
        import asyncio
        from mirascope import BaseMessageParam, llm, prompt_template
        from pydantic import BaseModel

        def author(title: str) -> str:
            """Returns the author."""
            return "Jane Austen"

        class Librarian(BaseModel):
            messages: list = []

            @llm.call(provider="openai", model="gpt-4o-mini", tools=[author], stream=True)
            @prompt_template("MESSAGES: {self.messages}")
            async def _stream(self): ...

            async def step(self, question: str) -> None:
                if question:
                    self.messages.append(BaseMessageParam(role="user", content=question))
                stream = await self._stream()
                tools_and_outputs = []
                async for chunk, tool in stream:
                    if tool:
                        tools_and_outputs.append((tool, tool.call()))
                    elif chunk.content:
                        print(chunk.content, end="", flush=True)
                self.messages.append(stream.message_param)
                if tools_and_outputs:
                    self.messages += stream.tool_message_params(tools_and_outputs)
                    await self.step("")

        asyncio.run(Librarian().step("Who wrote Emma?"))
        ''',
        "Jane Austen",
    ),
    Program(
        "agent_with_two_models",
        (call("ask_expert", question="Who?"), "Jane Austen", "She did."),
        '''
        from mirascope.core import BaseDynamicConfig, openai, prompt_template

        @openai.call("gpt-4o")
        def expert(question: str) -> str:
            return f"You are an expert. {question}"

        def ask_expert(question: str) -> str:
            """Asks an expert.

            Args:
                question: The question.
            """
            return expert(question).content

        @openai.call("gpt-4o-mini", tools=[ask_expert])
        @prompt_template("MESSAGES: {history}\\nUSER: {query}")
        def manager(query: str, history: list): ...

        history = []
        response = manager("Who wrote it?", history)
        outputs = [(tool, tool.call()) for tool in response.tools]
        history += [response.user_message_param, response.message_param, *response.tool_message_params(outputs)]
        print(outputs[0][1], manager("So?", history).content)
        ''',
        "Jane Austen She did.",
    ),
    Program(
        "retry_calls",
        (BUSY, EMMA),
        """
        from mirascope import llm
        from tenacity import retry, stop_after_attempt, wait_exponential

        @retry(stop=stop_after_attempt(3), wait=wait_exponential(multiplier=0.001, max=0.01))
        @llm.call(provider="openai", model="gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        print(recommend_book("fantasy").content)
        """,
        "Emma",
    ),
    Program(
        "retry_streams",
        (BUSY, EMMA),
        """
        from mirascope import llm
        from tenacity import retry, stop_after_attempt, wait_none

        @retry(stop=stop_after_attempt(3), wait=wait_none())
        def stream():
            @llm.call(provider="openai", model="gpt-4o-mini", stream=True)
            def recommend_book(genre: str) -> str:
                return f"Recommend a {genre} book"

            return "".join(chunk.content for chunk, _ in recommend_book("fantasy"))

        print(stream())
        """,
        "Emma",
    ),
    Program(
        "retry_error_reinsertion",
        (call("OutputTool", value="Jane Austen"), call("OutputTool", value="JANE AUSTEN")),
        '''
        from typing import Annotated
        from mirascope.core import BaseDynamicConfig, anthropic, prompt_template
        from mirascope.retries.tenacity import collect_errors
        from pydantic import AfterValidator, ValidationError
        from tenacity import retry, stop_after_attempt

        def is_upper(v: str) -> str:
            assert v.isupper(), "Must be uppercase"
            return v

        @retry(stop=stop_after_attempt(3), after=collect_errors(ValidationError))
        @anthropic.call(
            "claude-3-5-sonnet-20240620",
            response_model=Annotated[str, AfterValidator(is_upper)],
        )
        @prompt_template(
            """
            {previous_errors}

            Who wrote {book}?
            """
        )
        def identify_author(book: str, *, errors: list[ValidationError] | None = None) -> BaseDynamicConfig:
            previous_errors = None
            if errors:
                print(errors[-1].errors()[0]["msg"])
                previous_errors = f"Previous Errors: {errors}"
            return {"computed_fields": {"previous_errors": previous_errors}}

        print(identify_author("Emma"))
        ''',
        "Assertion failed, Must be uppercase\nJANE AUSTEN",
    ),
    Program(
        "retry_old_import",
        (call("OutputTool", value=-1), call("OutputTool", value=1)),
        """
        import warnings
        from typing import Annotated
        from pydantic import Field, ValidationError
        from tenacity import retry, stop_after_attempt
        from mirascope.core import openai

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mirascope.integrations.tenacity import collect_errors

            @retry(stop=stop_after_attempt(2), after=collect_errors(ValidationError))
            @openai.call("gpt-4o-mini", response_model=Annotated[int, Field(gt=0)])
            def count(what: str, *, errors: list[ValidationError] | None = None) -> str:
                return f"Count {what}. {len(errors or [])} errors"

        print(count("words"))
        """,
        "1",
    ),
    Program(
        "retry_fallback",
        (BUSY, EMMA),
        """
        from anthropic import RateLimitError as AnthropicRateLimitError
        from mirascope import llm
        from mirascope.retries import FallbackError, fallback
        from openai import RateLimitError as OpenAIRateLimitError

        @fallback(
            OpenAIRateLimitError,
            [
                {
                    "catch": AnthropicRateLimitError,
                    "provider": "anthropic",
                    "model": "claude-3-5-sonnet-latest",
                }
            ],
        )
        @llm.call("openai", "gpt-4o-mini")
        def answer_question(question: str) -> str:
            return f"Answer this question: {question}"

        try:
            response = answer_question("What is the meaning of life?")
            if caught := getattr(response, "_caught", None):
                print(f"Exception caught: {type(caught[0]).__name__}")
            print("### Response ###")
            print(response.content, response.provider)
        except FallbackError as e:
            print(e)
        """,
        "Exception caught: RateLimitError\n### Response ###\nEmma anthropic",
    ),
    Program(
        "retry_fallback_fails",
        (BUSY, BUSY),
        """
        from anthropic import RateLimitError as AnthropicRateLimitError
        from mirascope import llm
        from mirascope.retries import FallbackError, fallback
        from openai import RateLimitError as OpenAIRateLimitError

        @fallback(
            OpenAIRateLimitError,
            [{"catch": AnthropicRateLimitError, "provider": "anthropic", "model": "claude-3-5-sonnet-latest"}],
        )
        @llm.call("openai", "gpt-4o-mini")
        def answer_question(question: str) -> str:
            return f"Answer this question: {question}"

        try:
            print(answer_question("What?").content)
        except FallbackError as error:
            print(type(error).__name__, isinstance(error, Exception))
        """,
        "FallbackError True",
    ),
    Program(
        "retry_fallback_and_retry",
        (BUSY, BUSY, EMMA),
        """
        from mirascope import llm
        from mirascope.retries import fallback
        from tenacity import RetryError, retry, stop_after_attempt, wait_none

        @fallback(RetryError, [{"catch": RetryError, "provider": "anthropic", "model": "claude-3-5-sonnet-latest"}])
        @retry(stop=stop_after_attempt(2), wait=wait_none())
        @llm.call(provider="openai", model="gpt-4o-mini")
        def answer_question(question: str) -> str:
            return f"Answer this question: {question}"

        print(answer_question("What?").content)
        """,
        "Emma",
    ),
    Program(
        "middleware_saves_responses",
        (EMMA,),
        '''
        from collections.abc import Generator
        from contextlib import contextmanager
        from typing import Any
        from mirascope.core import openai
        from mirascope.core.base import BaseCallResponse
        from mirascope.integrations import middleware_factory

        class Session(list):
            pass

        @contextmanager
        def custom_context_manager(fn) -> Generator[Session, Any, None]:
            print(f"Saving call: {fn.__name__}")
            session = Session()
            yield session
            print(session)

        def handle_call_response(result: BaseCallResponse, fn, session: Session | None):
            session.append(result.content)

        def with_saving():
            """Saves some data after an LLM call."""
            return middleware_factory(
                custom_context_manager=custom_context_manager, handle_call_response=handle_call_response
            )

        @with_saving()
        @openai.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        recommend_book("fantasy")
        ''',
        "Saving call: recommend_book\n['Emma']",
    ),
    Program(
        "middleware_for_streams",
        (Answer(Text("Emma", 2)),),
        """
        from mirascope.core import openai
        from mirascope.core.base.stream import BaseStream
        from mirascope.integrations import middleware_factory

        def handle_stream(stream: BaseStream, fn, context):
            print(fn.__name__, stream.construct_call_response().content)

        with_saving = middleware_factory(handle_stream=handle_stream)

        @with_saving
        @openai.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        for _ in recommend_book("fantasy"):
            pass
        """,
        "recommend_book Emma",
    ),
    Program(
        "middleware_for_response_models",
        (call("Book", title="Emma"), call("Book", title="Emma")),
        """
        import asyncio
        from mirascope.core import openai
        from mirascope.integrations import middleware_factory
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str

        def handle_response_model(model, fn, context):
            print("model", model)

        async def handle_response_model_async(model, fn, context):
            print("async model", model)

        with_saving = middleware_factory(
            handle_response_model=handle_response_model, handle_response_model_async=handle_response_model_async
        )

        @with_saving
        @openai.call("gpt-4o-mini", response_model=Book)
        def extract(text: str) -> str:
            return f"Extract {text}"

        @with_saving
        @openai.call("gpt-4o-mini", response_model=Book)
        async def extract_async(text: str) -> str:
            return f"Extract {text}"

        extract("Emma")
        asyncio.run(extract_async("Emma"))
        """,
        "model title='Emma'\nasync model title='Emma'",
    ),
    Program(
        "middleware_for_structured_streams",
        (call("Book", title="Emma"),),
        """
        from mirascope.core import openai
        from mirascope.core.base.structured_stream import BaseStructuredStream
        from mirascope.integrations import middleware_factory
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str

        def handle_structured_stream(result: BaseStructuredStream, fn, context):
            print(result.constructed_response_model)

        @middleware_factory(handle_structured_stream=handle_structured_stream)
        @openai.call("gpt-4o-mini", response_model=Book, stream=True)
        def extract(text: str) -> str:
            return f"Extract {text}"

        for partial in extract("Emma"):
            pass
        """,
        "title='Emma'",
    ),
    Program(
        "middleware_for_errors",
        (BUSY,),
        """
        from mirascope.core import openai
        from mirascope.integrations import middleware_factory

        def handle_error(e: Exception, fn, context):
            print(f"{fn.__name__} failed: {type(e).__name__}")
            return "An apology"

        @middleware_factory(handle_error=handle_error)
        @openai.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        print(recommend_book("fantasy"))
        """,
        "recommend_book failed: RateLimitError\nAn apology",
    ),
    Program(
        "otel_with_a_processor",
        (EMMA,),
        """
        from mirascope.core import anthropic
        from mirascope.integrations.otel import configure, with_otel
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        exporter = InMemorySpanExporter()
        configure(processors=[SimpleSpanProcessor(exporter)])

        @with_otel()
        @anthropic.call("claude-3-5-sonnet-20240620")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        recommend_book("fantasy")
        print([span.name for span in exporter.get_finished_spans()])
        """,
        "['recommend_book']",
        needs=("opentelemetry",),
    ),
    Program(
        "otel_of_a_stream",
        (Answer(Text("Emma", 2)),),
        """
        from mirascope.core import openai
        from mirascope.integrations.otel import configure, with_otel
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        exporter = InMemorySpanExporter()
        configure(processors=[SimpleSpanProcessor(exporter)])

        @with_otel()
        @openai.call("gpt-4o-mini", stream=True)
        def stream_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        for _ in stream_book("fantasy"):
            pass
        print([span.name for span in exporter.get_finished_spans()])
        """,
        "['stream_book']",
        needs=("opentelemetry",),
    ),
    Program(
        "logfire_of_a_response_model",
        (call("Book", title="Emma"),),
        """
        import logfire
        from mirascope.core import openai
        from mirascope.integrations.logfire import with_logfire
        from pydantic import BaseModel

        logfire.configure(send_to_logfire=False, console=False)

        class Book(BaseModel):
            title: str

        @with_logfire()
        @openai.call("gpt-4o-mini", response_model=Book)
        def extract(text: str) -> str:
            return f"Extract {text}"

        print(extract("Emma"))
        """,
        "title='Emma'",
        needs=("logfire",),
    ),
    Program(
        "langfuse_of_a_call",
        (EMMA,),
        """
        from mirascope.core import openai
        from mirascope.integrations.langfuse import with_langfuse

        @with_langfuse()
        @openai.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        print(recommend_book("fantasy"))
        """,
        "Emma",
        needs=("langfuse",),
    ),
    Program(
        "merged_decorators",
        (EMMA,),
        """
        from mirascope.core import merge_decorators, openai, prompt_template
        from tenacity import retry, stop_after_attempt

        call = merge_decorators(openai.call("gpt-4o-mini"), retry(stop=stop_after_attempt(2)))

        @call()
        @prompt_template("Recommend a {genre} book")
        def recommend_book(genre: str): ...

        print(recommend_book("fantasy"))
        """,
        "Emma",
    ),
    Program(
        "mcp_server_and_client",
        (call("get_book", genre="fantasy"),),
        """
        import asyncio
        import sys
        import tempfile
        from pathlib import Path
        from mirascope.core import openai
        from mcp import StdioServerParameters
        from mirascope.mcp import stdio_client

        server = Path(tempfile.mkdtemp()) / "server.py"
        server.write_text(
            "import warnings\\n"
            "warnings.simplefilter('ignore')\\n"
            "import asyncio\\n"
            "from ferroscope.mcp import MCPServer\\n"
            "app = MCPServer('book-recommend')\\n"
            "@app.tool()\\n"
            "def get_book(genre: str) -> str:\\n"
            "    'Get a recommendation.'\\n"
            "    return f'A {genre} book'\\n"
            "asyncio.run(app.run())\\n"
        )

        async def main() -> None:
            parameters = StdioServerParameters(command=sys.executable, args=[str(server)], env=None)
            async with stdio_client(parameters) as client:
                tools = await client.list_tools()

                @openai.call("gpt-4o-mini", tools=tools)
                def recommend_book(genre: str) -> str:
                    return f"Recommend a {genre} book"

                print([tool.__name__ for tool in tools])
                if tool := recommend_book("fantasy").tool:
                    print(await tool.call())

        asyncio.run(main())
        """,
        "['GetBook']\n['A fantasy book']",
        needs=("mcp",),
    ),
]
