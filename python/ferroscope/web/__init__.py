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


EventResponse(assistant("..."), "vercel")             # ferroscope.web.starlette
```

The responses of the frameworks are in modules of their own: `ferroscope.web.starlette` (also for FastAPI), `.aiohttp`,
`.django` and `.flask`.
"""

from ._delivery import DeliveryLimits, finish_streams
from ._errors import EventsGoneError, StreamNotFoundError, TooManyStreamsError
from ._events import AnswerEvents, sse
from ._headers import HEADERS
from ._memory_store import MemoryStore
from ._reader import StreamReader
from ._resumable import ResumableStreams
from ._steps import Data, File, Source, Step, ToolOutput
from ._store import EventStore, Item

__all__ = [
    "HEADERS",
    "AnswerEvents",
    "Data",
    "DeliveryLimits",
    "EventStore",
    "EventsGoneError",
    "File",
    "Item",
    "MemoryStore",
    "ResumableStreams",
    "Source",
    "Step",
    "StreamNotFoundError",
    "StreamReader",
    "TooManyStreamsError",
    "ToolOutput",
    "finish_streams",
    "sse",
]
