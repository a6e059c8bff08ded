"""The messages that a call of LiteLLM takes."""

from ..openai._message_param import OpenAIMessageParam as LiteLLMMessageParam

__all__ = ["LiteLLMMessageParam"]
