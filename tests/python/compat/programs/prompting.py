"""Prompts, calls, streams, chains and techniques of prompting."""

from __future__ import annotations

from ferroscope.testing import Answer, Status, Text, Usage

from .program import Program, call

EMMA = "Emma"

PROGRAMS = [
    Program(
        "prompt_template_messages",
        (),
        """
        from mirascope.core import prompt_template

        @prompt_template("Recommend a {genre} book")
        def recommend_book_prompt(genre: str): ...

        print(recommend_book_prompt("fantasy"))
        """,
        "[BaseMessageParam(role='user', content='Recommend a fantasy book')]",
    ),
    Program(
        "prompt_roles",
        (),
        """
        from mirascope.core import Messages, prompt_template

        @prompt_template()
        def recommend_book_prompt(genre: str) -> Messages.Type:
            return [
                Messages.System("You are a librarian"),
                Messages.User(f"Recommend a {genre} book"),
                Messages.Assistant("Which one?"),
            ]

        print([(message.role, message.content) for message in recommend_book_prompt("fantasy")])
        """,
        "[('system', 'You are a librarian'), ('user', 'Recommend a fantasy book'), ('assistant', 'Which one?')]",
    ),
    Program(
        "prompt_lists",
        (),
        '''
        from mirascope.core import prompt_template

        @prompt_template(
            """
            Recommend a book based on these books:
            {books:list}
            and these pairs:
            {pairs:lists}
            """
        )
        def recommend_book_prompt(books: list[str], pairs: list[list[str]]): ...

        print(recommend_book_prompt(["Emma", "Persuasion"], [["a", "b"], ["c"]])[0].content)
        ''',
        "Recommend a book based on these books:\nEmma\nPersuasion\nand these pairs:\na\nb\n\nc",
    ),
    Program(
        "prompt_attributes_and_formats",
        (),
        """
        from pydantic import BaseModel
        from mirascope.core import prompt_template

        class Book(BaseModel):
            title: str
            price: float

        @prompt_template("Is {book.title} worth {book.price:.2f}?")
        def ask(book: Book): ...

        print(ask(Book(title="Emma", price=12.5))[0].content)
        """,
        "Is Emma worth 12.50?",
    ),
    Program(
        "prompt_computed_fields",
        (),
        """
        from mirascope.core import BaseDynamicConfig, prompt_template

        @prompt_template("Recommend a {genre} book like {favourite}")
        def recommend_book_prompt(genre: str) -> BaseDynamicConfig:
            return {"computed_fields": {"favourite": genre.upper()}}

        print(recommend_book_prompt("fantasy")[0].content)
        """,
        "Recommend a fantasy book like FANTASY",
    ),
    Program(
        "base_prompt",
        (EMMA,),
        """
        from mirascope.core import BasePrompt, openai, prompt_template

        @prompt_template("Recommend a {genre} book")
        class RecommendBookPrompt(BasePrompt):
            genre: str

        prompt = RecommendBookPrompt(genre="fantasy")
        print(prompt)
        print(prompt.run(openai.call("gpt-4o-mini")))
        """,
        "Recommend a fantasy book\nEmma",
    ),
    Program(
        "call_of_any_provider",
        (EMMA, EMMA),
        """
        from mirascope import llm

        @llm.call(provider="openai", model="gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        response: llm.CallResponse = recommend_book("fantasy")
        print(response.content)
        override_response = llm.override(
            recommend_book,
            provider="anthropic",
            model="claude-3-5-sonnet-latest",
            call_params={"temperature": 0.7},
        )("fantasy")
        print(override_response.content, override_response.provider)
        """,
        "Emma\nEmma anthropic",
    ),
    Program(
        "call_of_groq",
        (EMMA,),
        """
        from mirascope.core import groq

        @groq.call("llama-3.1-70b-versatile")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        response: groq.GroqCallResponse = recommend_book("fantasy")
        print(response.content, type(response.response).__name__)
        """,
        "Emma ChatCompletion",
    ),
    Program(
        "call_of_anthropic_with_a_system_message",
        (EMMA,),
        """
        from mirascope.core import Messages, anthropic

        @anthropic.call("claude-3-5-sonnet-20240620", call_params={"max_tokens": 512})
        def recommend_book(genre: str) -> Messages.Type:
            return [Messages.System("You are a librarian"), Messages.User(f"Recommend a {genre} book")]

        response: anthropic.AnthropicCallResponse = recommend_book("fantasy")
        print(response.content, response.call_kwargs["max_tokens"])
        """,
        "Emma 512",
    ),
    Program(
        "call_with_provider_messages",
        (EMMA,),
        """
        from mirascope.core import BaseMessageParam, openai

        @openai.call("gpt-4o-mini", call_params={"max_tokens": 512})
        def recommend_book(genre: str) -> list[BaseMessageParam]:
            return [BaseMessageParam(role="user", content=f"Recommend a {genre} book")]

        response = recommend_book("fantasy")
        print(response.content, response.user_message_param)
        """,
        "Emma {'role': 'user', 'content': 'Recommend a fantasy book'}",
    ),
    Program(
        "call_json_mode",
        ('{"title": "Emma"}',),
        """
        import json
        from mirascope.core import openai

        @openai.call("gpt-4o-mini", json_mode=True)
        def get_book_info(book_title: str) -> str:
            return f"Provide the author and genre of {book_title}"

        print(json.loads(get_book_info("Emma").content)["title"])
        """,
        "Emma",
    ),
    Program(
        "call_properties",
        (Answer(Text("Emma"), usage=Usage(12, 3)),),
        """
        from mirascope.core import openai

        @openai.call("gpt-4o-mini", call_params={"temperature": 0.5})
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        response = recommend_book("fantasy")
        print(f"Original Response: {type(response.response).__name__}")
        print(f"Usage: {response.usage.total_tokens}")
        print(f"Finish Reasons: {response.finish_reasons}")
        print(f"Input/Output: {response.input_tokens}/{response.output_tokens}")
        print(f"Call Params: {response.call_params}, Args: {response.fn_args}")
        print(f"Cost: {response.cost is not None}")
        """,
        "Original Response: ChatCompletion\nUsage: 15\nFinish Reasons: ['stop']\nInput/Output: 12/3\n"
        "Call Params: {'temperature': 0.5}, Args: {'genre': 'fantasy'}\nCost: True",
    ),
    Program(
        "call_errors",
        (Status(401, {"error": {"message": "bad key"}}),),
        """
        from mirascope.core import openai
        from openai import OpenAIError

        @openai.call("gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        try:
            response = recommend_book("fantasy")
            print(response.content)
        except OpenAIError as e:
            print(f"Error: {type(e).__name__}")
        """,
        "Error: AuthenticationError",
    ),
    Program(
        "call_metadata",
        (EMMA,),
        """
        from mirascope.core import metadata, openai, prompt_template

        @openai.call("gpt-4o-mini")
        @metadata({"tags": {"version:0001"}})
        @prompt_template("Recommend a {genre} book")
        def recommend_book(genre: str): ...

        print(recommend_book("fantasy").metadata)
        """,
        "{'tags': {'version:0001'}}",
    ),
    Program(
        "call_with_a_custom_client",
        (EMMA, EMMA),
        """
        import os
        from mirascope.core import BaseDynamicConfig, Messages, openai
        from openai import OpenAI

        @openai.call("llama3.2", client=OpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key="ollama"))
        def local(genre: str) -> str:
            return f"Recommend a {genre} book"

        @openai.call("gpt-4o-mini")
        def dynamic(genre: str) -> openai.OpenAIDynamicConfig:
            return {
                "messages": [Messages.User(f"Recommend a {genre} book")],
                "client": OpenAI(api_key="another"),
                "call_params": {"temperature": 0.1},
            }

        print(local("fantasy"), dynamic("fantasy").call_kwargs["temperature"])
        """,
        "Emma 0.1",
    ),
    Program(
        "stream_text",
        (Answer(Text("The Name of the Wind", ["The Name", " of the", " Wind"])),),
        """
        from mirascope.core import openai

        @openai.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        stream = recommend_book("fantasy")
        for chunk, _ in stream:
            if chunk.content:
                print(chunk.content, end="|", flush=True)
        print(f"Content: {stream.content}")
        print(stream.message_param)
        """,
        "The Name| of the| Wind|Content: The Name of the Wind\n"
        "{'role': 'assistant', 'content': 'The Name of the Wind'}",
    ),
    Program(
        "stream_of_any_provider",
        (Answer(Text("Emma", ["Em", "ma"])),),
        """
        from mirascope import llm

        @llm.call(provider="anthropic", model="claude-3-5-sonnet-latest", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        stream: llm.Stream = recommend_book("fantasy")
        print("".join(chunk.content for chunk, _ in stream))
        response = stream.construct_call_response()
        print(response.content, response.finish_reasons)
        """,
        "Emma\nEmma ['stop']",
    ),
    Program(
        "stream_async",
        (Answer(Text("Emma", ["Em", "ma"])),),
        """
        import asyncio
        from mirascope.core import openai

        @openai.call("gpt-4o-mini", stream=True)
        async def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        async def main():
            async for chunk, _ in await recommend_book("fantasy"):
                if chunk.content:
                    print(chunk.content)

        asyncio.run(main())
        """,
        "Em\nma",
    ),
    Program(
        "stream_tools",
        (call("format_book", title="Emma", author="Jane Austen"),),
        """
        from mirascope import llm

        def format_book(title: str, author: str) -> str:
            return f"{title} by {author}"

        @llm.call(provider="openai", model="gpt-4o-mini", tools=[format_book], stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        for chunk, tool in recommend_book("fantasy"):
            if tool:
                print(tool.call())
            elif chunk.content:
                print(chunk.content, end="", flush=True)
        """,
        "Emma by Jane Austen",
    ),
    Program(
        "stream_partial_tools",
        (call("Author", first="Jane", last="Austen"),),
        """
        from mirascope.core import BaseTool, openai

        class Author(BaseTool):
            first: str
            last: str

            def call(self) -> str:
                return f"{self.first} {self.last}"

        @openai.call("gpt-4o-mini", tools=[Author], stream={"partial_tools": True})
        def ask(book: str) -> str:
            return f"Who wrote {book}?"

        for _, tool in ask("Emma"):
            if tool and tool.delta is None:
                print(tool.call())
        """,
        "Jane Austen",
    ),
    Program(
        "stream_errors",
        (Status(429, headers={"x-should-retry": "false"}),),
        """
        from mirascope.core import openai
        from openai import RateLimitError

        @openai.call("gpt-4o-mini", stream=True)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        try:
            for chunk, _ in recommend_book("fantasy"):
                print(chunk.content, end="", flush=True)
        except RateLimitError as e:
            print("Error:", e.status_code)
        """,
        "Error: 429",
    ),
    Program(
        "chain_of_functions",
        ("A summary", "Un résumé"),
        """
        from mirascope import llm

        @llm.call(provider="openai", model="gpt-4o-mini")
        def summarize(text: str) -> str:
            return f"Summarize this text: {text}"

        @llm.call(provider="openai", model="gpt-4o-mini")
        def translate(text: str, language: str) -> str:
            return f"Translate this text to {language}: {text}"

        summary = summarize("Long English text here...")
        translation = translate(summary.content, "french")
        print(translation.content)
        """,
        "Un résumé",
    ),
    Program(
        "chain_of_computed_fields",
        ("A summary", "Un résumé"),
        """
        from mirascope import BaseDynamicConfig, llm, prompt_template

        @llm.call(provider="openai", model="gpt-4o-mini")
        def summarize(text: str) -> str:
            return f"Summarize this text: {text}"

        @llm.call(provider="openai", model="gpt-4o-mini")
        @prompt_template("Translate this text to {language}: {summary}")
        def translate(text: str, language: str) -> BaseDynamicConfig:
            return {"computed_fields": {"summary": summarize(text)}}

        response = translate("Long English text here...", "french")
        print(response.content, str(response.fn_args["summary"]))
        """,
        "Un résumé A summary",
    ),
    Program(
        "chain_in_parallel",
        ("Ann", "Ann", "Done"),
        """
        import asyncio
        from mirascope.core import BaseDynamicConfig, openai, prompt_template

        @openai.call(model="gpt-4o-mini")
        @prompt_template("Identify a chef for {ingredient}")
        async def chef_selector(ingredient: str): ...

        @openai.call(model="gpt-4o-mini")
        @prompt_template("Pair {ingredient} with something")
        async def pairing(ingredient: str): ...

        @openai.call(model="gpt-4o-mini")
        @prompt_template("Chef {chef}, pairing {pair}: recommend recipes")
        async def recipe_recommender(ingredient: str) -> BaseDynamicConfig:
            chef, pair = await asyncio.gather(chef_selector(ingredient), pairing(ingredient))
            return {"computed_fields": {"chef": chef, "pair": pair}}

        async def run():
            response = await recipe_recommender(ingredient="apples")
            print(response.content, response.messages[0]["content"])

        asyncio.run(run())
        """,
        "Done Chef Ann, pairing Ann: recommend recipes",
    ),
    Program(
        "chain_of_streams",
        (Answer(Text("A summary", 3)), Answer(Text("Un résumé", 3))),
        """
        from mirascope import llm

        @llm.call(provider="openai", model="gpt-4o-mini", stream=True)
        def summarize(text: str) -> str:
            return f"Summarize this text: {text}"

        @llm.call(provider="openai", model="gpt-4o-mini", stream=True)
        def translate(text: str) -> str:
            return f"Translate this text: {text}"

        stream = summarize("Long text")
        for _ in stream:
            pass
        print("".join(chunk.content for chunk, _ in translate(stream.content)))
        """,
        "Un résumé",
    ),
    Program(
        "context_of_calls",
        (EMMA, EMMA),
        """
        from mirascope import llm

        @llm.call(provider="openai", model="gpt-4o-mini")
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book"

        with llm.context(provider="anthropic", model="claude-3-5-sonnet-latest"):
            print(recommend_book("fantasy").provider)
        print(recommend_book("fantasy").provider)
        """,
        "anthropic\nopenai",
    ),
    Program(
        "chat_history",
        ("A book", "Jane Austen"),
        '''
        from mirascope.core import BaseMessageParam, openai, prompt_template
        from pydantic import BaseModel

        class Librarian(BaseModel):
            history: list[BaseMessageParam | openai.OpenAIMessageParam] = []

            @openai.call("gpt-4o-mini")
            @prompt_template(
                """
                SYSTEM: You are the world's greatest librarian.
                MESSAGES: {self.history}
                USER: {query}
                """
            )
            def _call(self, query: str): ...

            def run(self, query: str) -> str:
                response = self._call(query)
                self.history += [response.user_message_param, response.message_param]
                return response.content

        librarian = Librarian()
        print(librarian.run("Recommend a book"), librarian.run("Who wrote it?"))
        print(len(librarian.history), librarian.history[-1]["content"])
        ''',
        "A book Jane Austen\n4 Jane Austen",
    ),
    Program(
        "technique_chain_of_verification",
        ("First", call("Questions", questions=["Q1", "Q2"]), "A1", "A2", "Final"),
        """
        import asyncio
        from mirascope.core import openai, prompt_template
        from pydantic import BaseModel, Field

        @openai.call("gpt-4o-mini")
        def call(query: str) -> str:
            return query

        class Questions(BaseModel):
            questions: list[str] = Field(..., description="A list of questions to verify the answer")

        @openai.call("gpt-4o-mini", response_model=Questions)
        @prompt_template("Query: {query}\\nAnswer: {answer}\\nWhich questions verify the answer?")
        def get_questions(query: str, answer: str): ...

        @openai.call("gpt-4o-mini")
        async def answer(query: str) -> str:
            return f"Concisely answer: {query}"

        @openai.call("gpt-4o-mini")
        @prompt_template("Answer {query}, after these checks:\\n{checks:lists}")
        def cove_call(query: str, checks: list[list[str]]): ...

        async def main(query: str):
            first = call(query).content
            questions = get_questions(query, first).questions
            responses = [await answer(question) for question in questions]
            checks = [[question, response.content] for question, response in zip(questions, responses)]
            return cove_call(query, checks)

        response = asyncio.run(main("Name politicians"))
        print(response.content)
        print(response.messages[0]["content"])
        """,
        "Final\nAnswer Name politicians, after these checks:\nQ1\nA1\n\nQ2\nA2",
    ),
    Program(
        "technique_self_consistency",
        (call("Answer", answer=3), call("Answer", answer=4), call("Answer", answer=3)),
        """
        from collections import Counter
        from mirascope.core import openai
        from pydantic import BaseModel

        class Answer(BaseModel):
            answer: int

        @openai.call("gpt-4o-mini", response_model=Answer, call_params={"temperature": 0.5})
        def zero_shot_cot(query: str) -> str:
            return f"Q: {query}\\nA: Let's think step by step."

        counts = Counter(zero_shot_cot("How many?").answer for _ in range(3))
        print(counts.most_common(1)[0][0])
        """,
        "3",
    ),
    Program(
        "technique_self_refine",
        ("Draft", "Too short", "Better"),
        """
        from mirascope.core import BaseDynamicConfig, openai, prompt_template
        from mirascope.core.openai import OpenAICallResponse

        @openai.call("gpt-4o-mini")
        def call(query: str) -> str:
            return query

        @openai.call("gpt-4o-mini")
        @prompt_template("Query: {query}\\nResponse: {response}\\nFeedback:")
        def evaluate_response(query: str, response: OpenAICallResponse): ...

        @openai.call("gpt-4o-mini")
        @prompt_template("Query: {query}\\nResponse: {response}\\nFeedback: {feedback}\\nNew response:")
        def generate_new_response(query: str, response: OpenAICallResponse) -> BaseDynamicConfig:
            return {"computed_fields": {"feedback": evaluate_response(query, response)}}

        def self_refine(query: str, depth: int) -> str:
            response = call(query)
            for _ in range(depth):
                response = generate_new_response(query, response)
            return response.content

        print(self_refine("How many?", 1))
        """,
        "Better",
    ),
]
