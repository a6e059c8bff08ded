"""Response models, output parsers, and the guides that extract, classify and validate."""

from __future__ import annotations

from ferroscope.testing import Answer, Json, Text

from .program import Program, call

BOOK = call("Book", title="Emma", author="Jane Austen")

PROGRAMS = [
    Program(
        "response_model",
        (BOOK,),
        '''
        from mirascope import llm
        from pydantic import BaseModel

        class Book(BaseModel):
            """An extracted book."""

            title: str
            author: str

        @llm.call(provider="openai", model="gpt-4o-mini", response_model=Book)
        def extract_book(text: str) -> str:
            return f"Extract {text}"

        book: Book = extract_book("Emma by Jane Austen")
        print(repr(book))
        ''',
        "Book(title='Emma', author='Jane Austen')",
    ),
    Program(
        "response_model_original_response",
        (BOOK,),
        """
        from typing import cast
        from mirascope.core import openai
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str
            author: str

        @openai.call("gpt-4o-mini", response_model=Book)
        def extract_book(text: str) -> str:
            return f"Extract {text}"

        book = extract_book("Emma by Jane Austen")
        response = cast(openai.OpenAICallResponse, book._response)
        print(response.model_dump()["fn_args"], response.tools[0].args)
        """,
        "{'text': 'Emma by Jane Austen'} {'title': 'Emma', 'author': 'Jane Austen'}",
    ),
    Program(
        "response_model_builtin_types",
        (call("OutputTool", value=["Emma", "Persuasion"]), call("OutputTool", value=7)),
        """
        from mirascope.core import openai

        @openai.call("gpt-4o-mini", response_model=list[str])
        def extract_books(texts: list[str]) -> str:
            return f"Extract the titles from {texts}"

        @openai.call("gpt-4o-mini", response_model=int)
        def count(text: str) -> str:
            return f"Count {text}"

        print(extract_books(["a", "b"]), count("words"))
        """,
        "['Emma', 'Persuasion'] 7",
    ),
    Program(
        "response_model_literal_and_enum",
        (call("OutputTool", value="spam"), call("OutputTool", value="not spam")),
        """
        from enum import Enum
        from typing import Literal
        from mirascope.core import openai

        class Label(Enum):
            SPAM = "spam"
            NOT_SPAM = "not spam"

        @openai.call("gpt-4o-mini", response_model=Literal["spam", "not spam"])
        def classify_spam(text: str) -> str:
            return f"Classify {text}"

        @openai.call("gpt-4o-mini", response_model=Label)
        def classify(text: str) -> str:
            return f"Classify {text}"

        print(classify_spam("buy"), classify("hello"))
        """,
        "spam Label.NOT_SPAM",
    ),
    Program(
        "response_model_validation_error",
        (call("Book", title="Emma", author="jane"),),
        """
        from typing import Annotated
        from mirascope.core import openai
        from pydantic import AfterValidator, BaseModel, ValidationError

        def validate_upper(v: str) -> str:
            assert v.isupper(), "Field must be uppercase"
            return v

        class Book(BaseModel):
            title: str
            author: Annotated[str, AfterValidator(validate_upper)]

        @openai.call("gpt-4o-mini", response_model=Book)
        def extract_book(text: str) -> str:
            return f"Extract {text}"

        try:
            print(extract_book("Emma"))
        except ValidationError as e:
            print(f"Error: {e.errors()[0]['msg']}", type(e._response).__name__)
        """,
        "Error: Assertion failed, Field must be uppercase OpenAICallResponse",
    ),
    Program(
        "response_model_json_mode",
        (Json({"title": "Emma", "author": "Jane Austen"}),),
        """
        from mirascope.core import openai
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str
            author: str

        @openai.call("gpt-4o-mini", response_model=Book, json_mode=True)
        def extract_book(text: str) -> str:
            return f"Extract {text}"

        print(extract_book("Emma"))
        """,
        "title='Emma' author='Jane Austen'",
    ),
    Program(
        "response_model_few_shot_examples",
        (BOOK,),
        """
        from mirascope.core import openai
        from pydantic import BaseModel, ConfigDict, Field

        class Book(BaseModel):
            title: str = Field(..., examples=["THE NAME OF THE WIND"])
            author: str = Field(..., examples=["Rothfuss, Patrick"])

            model_config = ConfigDict(json_schema_extra={"examples": [{"title": "EMMA", "author": "Austen, Jane"}]})

        @openai.call("gpt-4o-mini", response_model=Book)
        def extract_book(text: str) -> str:
            return f"Extract {text}. Match example format EXCLUDING 'examples' key."

        book = extract_book("Emma")
        parameters = book._response.call_kwargs["tools"][0]["function"]["parameters"]
        print(book.title, parameters["properties"]["title"]["examples"], parameters["examples"])
        """,
        "Emma ['THE NAME OF THE WIND'] [{'author': 'Austen, Jane', 'title': 'EMMA'}]",
    ),
    Program(
        "response_model_strict",
        (Json({"title": "Emma", "author": "Jane Austen"}),),
        """
        from mirascope.core import ResponseModelConfigDict, openai
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str
            author: str

            model_config = ResponseModelConfigDict(strict=True)

        @openai.call("gpt-4o-mini", response_model=Book, json_mode=True)
        def extract_book(text: str) -> str:
            return f"Extract {text}"

        book = extract_book("Emma")
        print(book.title, book._response.call_kwargs["response_format"]["type"])
        """,
        "Emma json_schema",
    ),
    Program(
        "response_model_stream",
        (BOOK,),
        """
        from mirascope.core import openai
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str
            author: str

        @openai.call("gpt-4o-mini", response_model=Book, stream=True)
        def extract_book(text: str) -> str:
            return f"Extract {text}"

        for partial_book in extract_book("Emma"):
            last = partial_book
        print(last)
        """,
        "title='Emma' author='Jane Austen'",
    ),
    Program(
        "response_model_stream_properties",
        (BOOK,),
        """
        from mirascope import llm
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str
            author: str

        @llm.call(provider="openai", model="gpt-4o-mini", response_model=Book, stream=True)
        def extract_book(text: str) -> str:
            return f"Extract {text}"

        book_stream = extract_book("Emma")
        for partial_book in book_stream:
            pass
        print(book_stream.constructed_response_model.title, book_stream.stream.input_tokens is not None)
        """,
        "Emma True",
    ),
    Program(
        "response_model_of_anthropic",
        (BOOK,),
        """
        from mirascope.core import anthropic
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str
            author: str

        @anthropic.call("claude-3-5-sonnet-20240620", response_model=Book)
        def extract_book(text: str) -> str:
            return f"Extract {text}"

        print(extract_book("Emma"))
        """,
        "title='Emma' author='Jane Austen'",
    ),
    Program(
        "response_model_from_call_args",
        (call("Checked", author="Jane Austen"),),
        """
        from typing import Annotated
        from mirascope.core import FromCallArgs, openai
        from pydantic import BaseModel, model_validator

        class Checked(BaseModel):
            title: Annotated[str, FromCallArgs()]
            author: str

            @model_validator(mode="after")
            def check(self):
                assert self.title == "Emma"
                return self

        @openai.call("gpt-4o-mini", response_model=Checked)
        def ask(title: str) -> str:
            return f"Who wrote {title}?"

        print(ask("Emma"))
        """,
        "title='Emma' author='Jane Austen'",
    ),
    Program(
        "output_parser",
        ("Emma by Jane Austen",),
        """
        from mirascope.core import openai

        def parse_recommendation(response: openai.OpenAICallResponse) -> tuple[str, str]:
            title, author = response.content.split(" by ")
            return (title, author)

        @openai.call("gpt-4o-mini", output_parser=parse_recommendation)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book. Output only Title by Author"

        print(recommend_book("romance"))
        """,
        "('Emma', 'Jane Austen')",
    ),
    Program(
        "output_parser_xml",
        ("<book><title>Emma</title><year>1815</year></book>",),
        """
        import xml.etree.ElementTree as ET
        from mirascope import llm
        from pydantic import BaseModel

        class Book(BaseModel):
            title: str
            year: int

        def parse_book_xml(response: llm.CallResponse) -> Book | None:
            try:
                root = ET.fromstring(response.content)
                if (node := root.find("title")) is None or not node.text:
                    raise ValueError("Missing title")
                return Book(title=node.text, year=int(root.find("year").text))
            except (ET.ParseError, ValueError) as e:
                print(f"Error parsing XML: {e}")
                return None

        @llm.call(provider="openai", model="gpt-4o-mini", output_parser=parse_book_xml)
        def recommend_book(genre: str) -> str:
            return f"Recommend a {genre} book in XML"

        print(repr(recommend_book("romance")))
        """,
        "Book(title='Emma', year=1815)",
    ),
    Program(
        "output_parser_of_anthropic",
        (Answer(Text("<thinking>Hm</thinking><answer>Emma</answer>")),),
        '''
        import re
        from mirascope.core import anthropic, prompt_template

        def parse_cot(response: anthropic.AnthropicCallResponse) -> str:
            match = re.search(r"<answer>(.*?)</answer>", response.content, re.DOTALL)
            return match.group(1).strip() if match else response.content

        @anthropic.call(model="claude-3-5-sonnet-20240620", output_parser=parse_cot)
        @prompt_template(
            """
            First, think in <thinking> tags. Then answer in <answer> tags.
            {question}
            """
        )
        def cot(question: str): ...

        print(cot("Which book?"))
        ''',
        "Emma",
    ),
    Program(
        "guide_named_entities",
        (call("OutputTool", value=[{"entity": "Apple Inc.", "label": "ORGANIZATION", "parent": "CORP"}]),),
        """
        from typing import Annotated
        from mirascope.core import openai, prompt_template
        from pydantic import BaseModel, Field

        class NestedEntity(BaseModel):
            entity: Annotated[str, Field(description="An entity found in the text.")]
            label: Annotated[str, Field(description="Its label")]
            parent: Annotated[str | None, Field(description="The parent")] = None
            children: list["NestedEntity"] = []

        @openai.call("gpt-4o-mini", response_model=list[NestedEntity])
        @prompt_template("Identify the named entities in: {unstructured_text}")
        def recognize(unstructured_text: str): ...

        for entity in recognize("Apple Inc. announced"):
            print(entity)
        """,
        "entity='Apple Inc.' label='ORGANIZATION' parent='CORP' children=[]",
    ),
    Program(
        "guide_support_ticket_routing",
        (
            call("CallClassification", calltype="billing", reasoning="a bill", user_email="a@b.org"),
            "Your bill is paid.",
        ),
        '''
        from enum import Enum
        from typing import Literal
        from mirascope.core import BaseDynamicConfig, openai, prompt_template
        from pydantic import BaseModel, Field

        class CallType(Enum):
            SALE = "sale_opportunity"
            BILLING = "billing"

        class CallClassification(BaseModel):
            calltype: Literal["sale_opportunity", "billing"] = Field(..., description="The classification")
            reasoning: str
            user_email: str

        @openai.call(model="gpt-4o-mini", response_model=CallClassification)
        @prompt_template("Classify the following transcript: {transcript}")
        def classify_transcript(transcript: str): ...

        def get_billing_details(user_email: str) -> str:
            return f"Billing details of {user_email}"

        @openai.call(model="gpt-4o-mini")
        @prompt_template(
            """
            SYSTEM: You are an intelligent assistant. {context}
            USER: {transcript}
            """
        )
        def handle_ticket(transcript: str) -> BaseDynamicConfig:
            found = classify_transcript(transcript)
            context = get_billing_details(found.user_email) if found.calltype == "billing" else "a sale"
            return {"computed_fields": {"context": context}}

        response = handle_ticket("My bill?")
        print(response.content, response.messages[0]["content"], sep="\\n")
        ''',
        "Your bill is paid.\nYou are an intelligent assistant. Billing details of a@b.org",
    ),
    Program(
        "guide_validation_by_a_model",
        (
            call("Text", text="This is a goodd text"),
            call("OutputTool", value=False),
        ),
        """
        from typing import Annotated
        from mirascope.core import openai, prompt_template
        from pydantic import AfterValidator, BaseModel, ValidationError

        @openai.call(model="gpt-4o-mini", response_model=bool)
        @prompt_template("Is the spelling right? {text}")
        def check(text: str): ...

        def validate(text: str) -> str:
            assert check(text), "Text contains errors."
            return text

        class Text(BaseModel):
            text: Annotated[str, AfterValidator(validate)]

        @openai.call(model="gpt-4o-mini", response_model=Text)
        @prompt_template("Write about {topic}")
        def write(topic: str): ...

        try:
            write("cats")
        except ValidationError as error:
            print(error.errors()[0]["msg"])
        """,
        "Assertion failed, Text contains errors.",
    ),
    Program(
        "guide_knowledge_graph",
        (call("KnowledgeGraph", nodes=[{"id": "1", "label": "Emma"}], edges=[]), "A novel"),
        '''
        from mirascope.core import openai, prompt_template
        from pydantic import BaseModel, Field

        class Edge(BaseModel):
            source: str
            target: str
            relationship: str

        class Node(BaseModel):
            id: str
            label: str
            properties: dict = Field(default_factory=dict, description="Additional attributes")

        class KnowledgeGraph(BaseModel):
            nodes: list[Node] = Field(..., description="List of nodes")
            edges: list[Edge] = Field(..., description="List of edges")

        @openai.call(model="gpt-4o-mini", response_model=KnowledgeGraph)
        @prompt_template("Build a graph of {text}")
        def generate_knowledge_graph(text: str): ...

        @openai.call(model="gpt-4o-mini")
        @prompt_template(
            """
            SYSTEM: Answer from this graph: {knowledge_graph}
            USER: {question}
            """
        )
        def run(question: str, knowledge_graph: KnowledgeGraph): ...

        graph = generate_knowledge_graph("Emma")
        print(graph.nodes[0].label, run("What is Emma?", graph))
        ''',
        "Emma A novel",
    ),
    Program(
        "guide_query_plan",
        (
            call(
                "QueryPlan",
                queries=[
                    {"id": 0, "question": "Q0", "dependencies": [], "tools": ["search"]},
                    {"id": 1, "question": "Q1", "dependencies": [0], "tools": []},
                ],
            ),
            "A0",
            "A1",
        ),
        '''
        from typing import Literal
        from mirascope.core import openai, prompt_template
        from pydantic import BaseModel, Field

        class Query(BaseModel):
            id: int = Field(..., description="ID of the query, this should be unique")
            question: str
            dependencies: list[int] = Field(default_factory=list)
            tools: list[Literal["search"]] = []

        class QueryPlan(BaseModel):
            queries: list[Query]

        @openai.call(model="gpt-4o-mini", response_model=QueryPlan)
        @prompt_template("Plan the queries for: {query}")
        def create_query_plan(query: str): ...

        @openai.call(model="gpt-4o-mini")
        @prompt_template(
            """
            MESSAGES: {history}
            USER: {question}
            """
        )
        def run(history: list, question: str): ...

        answers = {}
        for query in create_query_plan("compare").queries:
            history = []
            for other in query.dependencies:
                history += [answers[other].user_message_param, answers[other].message_param]
            answers[query.id] = run(history, query.question)
        print([answer.content for answer in answers.values()], len(answers[1].messages))
        ''',
        "['A0', 'A1'] 3",
    ),
    Program(
        "guide_synthetic_data",
        (call("OutputTool", value=[{"name": "TV", "price": 1499.99, "inventory": 10}]),),
        """
        from typing import Any
        from mirascope.core import openai, prompt_template
        from pydantic import BaseModel, Field

        class TV(BaseModel):
            name: str
            price: float = Field(..., description="Price in dollars")
            inventory: int

        @openai.call(model="gpt-4o-mini", response_model=list[TV])
        @prompt_template("Generate {num_datapoints} random but realistic TVs")
        def generate_tv_data(num_datapoints: int): ...

        for tv in generate_tv_data(1):
            print(tv)
        """,
        "name='TV' price=1499.99 inventory=10",
    ),
    Program(
        "guide_code_review",
        (call("OutputTool", value={"is_safe": False, "reason": "os"}),),
        """
        from mirascope.core import openai

        @openai.call("gpt-4o-mini", response_model=dict[str, str | bool])
        def review(code: str) -> str:
            return f"Is this safe? {code}"

        print(review("import os"))
        """,
        "{'is_safe': False, 'reason': 'os'}",
    ),
    Program(
        "evals_panel_of_judges",
        (call("Eval", score=5.0, reasoning="a"), call("Eval", score=4.0, reasoning="b")),
        """
        from mirascope import llm, prompt_template
        from mirascope.core import anthropic, openai
        from pydantic import BaseModel, Field

        class Eval(BaseModel):
            reasoning: str = Field(..., description="Explanation for the score")
            score: float = Field(..., description="A score from 0.0 to 10.0")

        @prompt_template("Evaluate the helpfulness of: {text}")
        def evaluation_prompt(text: str): ...

        judges = [
            openai.call("gpt-4o-mini", response_model=Eval),
            anthropic.call("claude-3-5-sonnet-20240620", response_model=Eval),
        ]
        evaluations = [judge(evaluation_prompt)("Hello") for judge in judges]
        print(sum(one.score for one in evaluations) / len(evaluations))
        """,
        "4.5",
    ),
    Program(
        "evals_of_any_provider",
        (call("Eval", score=5.0), call("Eval", score=4.0)),
        """
        from mirascope import llm
        from pydantic import BaseModel

        class Eval(BaseModel):
            score: float

        @llm.call(provider="openai", model="gpt-4o-mini", response_model=Eval)
        def evaluate(text: str) -> str:
            return f"Evaluate {text}"

        other = llm.override(evaluate, provider="anthropic", model="claude-3-5-sonnet-latest")
        print([judge("Hello").score for judge in (evaluate, other)])
        """,
        "[5.0, 4.0]",
    ),
    Program(
        "evals_async_judges",
        (call("Eval", score=5.0), call("Eval", score=5.0)),
        """
        import asyncio
        from mirascope.core import openai
        from pydantic import BaseModel

        class Eval(BaseModel):
            score: float

        @openai.call("gpt-4o-mini", response_model=Eval)
        async def evaluate(text: str) -> str:
            return f"Evaluate {text}"

        async def run():
            return await asyncio.gather(evaluate("a"), evaluate("b"))

        print([one.score for one in asyncio.run(run())])
        """,
        "[5.0, 5.0]",
    ),
]
