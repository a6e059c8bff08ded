"""Calls of Anthropic and Azure: what they return, by the options of the decorator."""

from __future__ import annotations

from typing import assert_type

from anthropic import Anthropic
from openai import OpenAI
from pydantic import BaseModel

from ferroscope.core import anthropic, azure
from ferroscope.core.anthropic import AnthropicCallResponse, AnthropicStream
from ferroscope.core.azure import AzureCallResponse, AzureStream


class Book(BaseModel):
    title: str


@anthropic.call("claude-haiku-4-5", call_params={"max_tokens": 9, "temperature": 0.5}, client=Anthropic())
def ask(topic: str) -> str:
    return topic


@anthropic.call("claude-haiku-4-5", stream=True)
async def ask_streamed(topic: str) -> anthropic.AsyncAnthropicDynamicConfig:
    return {"call_params": {"max_tokens": 9, "thinking": {"type": "disabled"}}}


@anthropic.call("claude-haiku-4-5", response_model=Book)
def recommend(genre: str) -> anthropic.AnthropicDynamicConfig:
    return {"messages": [{"role": "user", "content": genre}]}


@azure.call("gpt-4o-mini", client=OpenAI())
def ask_azure(topic: str) -> str:
    return topic


@azure.call("gpt-4o-mini", stream=True, call_params={"model_extras": {"safe_mode": True}})
def ask_azure_streamed(topic: str) -> azure.AzureDynamicConfig:
    return {"computed_fields": {"upper": topic.upper()}}


async def uses() -> None:
    response = ask("tea")
    assert_type(response, AnthropicCallResponse)
    assert_type(response.thinking, str | None)
    stream = await ask_streamed("tea")
    assert_type(stream, AnthropicStream)
    assert_type(recommend("fantasy"), Book)
    assert_type(ask_azure("tea"), AzureCallResponse)
    assert_type(ask_azure_streamed("tea"), AzureStream)
