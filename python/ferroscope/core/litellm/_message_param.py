"""The messages that calls to LiteLLM accept."""

from ..openai._message_param import OpenAIMessageParam as LiteLLMMessageParam

__all__ = ["LiteLLMMessageParam"]
