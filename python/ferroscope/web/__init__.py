"""Streams for browsers: answers as server-sent events of a web format.

One stream is `stream.sse("vercel")`. An answer of several calls, with tools in between, is a generator that yields its
steps, and `sse` makes one outgoing stream of them:

```python
async def assistant(question: str):
    history: list[BaseMessageParam] = []
    while True:
        stream = await ask(question, history)
        yield stream                                  # emitted while the model answers
        response = stream.construct_call_response()
        history.append(response.message_param)
        if not response.tools:
            return
        outputs = []
        for tool in response.tools:
            outputs.append((tool, tool.call()))
            yield ToolOutput(*outputs[-1])            # emitted as the output of the call
        history += response.tool_message_params(outputs)


StreamingResponse(sse(assistant("..."), "vercel"), media_type="text/event-stream", headers=HEADERS)
```
"""

from ._events import sse
from ._steps import Data, File, Source, Step, ToolOutput

HEADERS = {
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-vercel-ai-ui-message-stream": "v1",
}
"""The headers of a response with server-sent events: no proxy holds events back. AI SDK's clients expect the last."""

__all__ = ["HEADERS", "Data", "File", "Source", "Step", "ToolOutput", "sse"]
