"""The messages that calls of xAI accept."""

from ..openai._message_param import OpenAIMessageParam as XAIMessageParam

__all__ = ["XAIMessageParam"]
