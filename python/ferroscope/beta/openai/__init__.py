"""OpenAI's realtime API: conversations by text and voice over a websocket."""

from .realtime import Context, OpenAIRealtimeTool, Realtime, async_input, record, record_as_stream

__all__ = ["Context", "OpenAIRealtimeTool", "Realtime", "async_input", "record", "record_as_stream"]
