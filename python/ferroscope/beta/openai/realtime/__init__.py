"""Conversations with OpenAI's realtime models."""

from .realtime import Context, Realtime
from .recording import async_input, record, record_as_stream
from .tool import OpenAIRealtimeTool

__all__ = ["Context", "OpenAIRealtimeTool", "Realtime", "async_input", "record", "record_as_stream"]
