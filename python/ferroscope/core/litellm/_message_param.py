"""The messages that calls of LiteLLM accept."""

from ..openai._message_param import OpenAIMessageParam as LiteLLMMessageParam

__all__ = ["LiteLLMMessageParam"]
