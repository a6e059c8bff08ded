"""The messages that calls to xAI accept."""

from ..openai._message_param import OpenAIMessageParam as XAIMessageParam

__all__ = ["XAIMessageParam"]
