"""Calls of the Responses API: the overload by `api`."""

from __future__ import annotations

from typing import assert_type

from pydantic import BaseModel

from ferroscope.core import azure, openai, xai
from ferroscope.core.base.structured_stream import BaseStructuredStream


class Book(BaseModel):
    title: str


@openai.call("gpt-5.5", api="responses", call_params={"reasoning": {"summary": "auto"}, "store": False})
def recommend(genre: str) -> str:
    return f"Recommend a {genre} book"


@openai.call("gpt-5.5", api="responses", stream=True)
async def recommend_streamed(genre: str) -> str:
    return f"Recommend a {genre} book"


@openai.call("gpt-5.5", api="responses", response_model=Book)
def extract(text: str) -> str:
    return text


@openai.call("gpt-5.5", api="responses", response_model=Book, stream=True)
def extract_streamed(text: str) -> str:
    return text


@openai.call("gpt-5.5", api="responses", output_parser=lambda response: response.annotations)
def annotate(text: str) -> str:
    return text


@openai.call("gpt-5.5", api="chat", call_params={"max_tokens": 5})
def chat(text: str) -> str:
    return text


@openai.call("gpt-5.5", api="auto")
def either(text: str) -> str:
    return text


@openai.call("gpt-5.5")
def usual(text: str) -> str:
    return text


@azure.call("our-deployment", api="responses")
def on_azure(text: str) -> str:
    return text


@xai.call("grok-4", api="responses", stream=True)
def on_xai(text: str) -> str:
    return text


async def main() -> None:
    response = recommend("quiet")
    assert_type(response, openai.OpenAIResponsesCallResponse)
    assert_type(response.thinking, str)
    assert_type(response.citations, list[str])
    assert_type(response.tool, openai.OpenAIResponsesTool | None)
    assert_type(response.response.id, str)
    stream = await recommend_streamed("quiet")
    assert_type(stream, openai.OpenAIResponsesStream)
    async for chunk, tool in stream:
        assert_type(chunk, openai.OpenAIResponsesCallResponseChunk)
        assert_type(tool, openai.OpenAIResponsesTool | None)
    assert_type(extract("Emma"), Book)
    assert_type(extract_streamed("Emma"), BaseStructuredStream[Book])
    assert_type(chat("x"), openai.OpenAICallResponse)
    assert_type(either("x"), openai.OpenAICallResponse)
    assert_type(usual("x"), openai.OpenAICallResponse)
    assert_type(stream.construct_call_response(), openai.OpenAIResponsesCallResponse)
    assert_type(on_azure("x"), azure.AzureResponsesCallResponse)
    assert_type(on_xai("x"), xai.XAIResponsesStream)
