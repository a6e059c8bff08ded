"""The messages that a call of xAI takes."""

from ..openai._message_param import OpenAIMessageParam as XAIMessageParam

__all__ = ["XAIMessageParam"]
