"""A relay written by hand with Starlette, for `bench_relay.py`: on the OpenAI SDK, or on `stream.raw()`.

python benches/python/_relay_app.py sdk|raw
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route


def event_stream(events: AsyncIterator[Any]) -> StreamingResponse:
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-cache"})


def on_sdk() -> Any:
    """Return a relay that writes the SDK's objects as JSON."""
    import openai

    client = openai.AsyncOpenAI()

    async def complete(request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        if not body.get("stream"):
            answer = await client.chat.completions.create(**body)
            return Response(answer.model_dump_json(), media_type="application/json")
        stream = await client.chat.completions.create(**body)

        async def events() -> AsyncIterator[str]:
            async with stream:
                async for chunk in stream:
                    yield f"data: {chunk.model_dump_json()}\n\n"
            yield "data: [DONE]\n\n"

        return event_stream(events())

    return complete


def on_raw() -> Any:
    """Return a relay that passes the provider's bytes through, and knows the usage and the cost of each answer."""
    from ferroscope.core import openai

    @openai.call("gpt-4o-mini")
    async def whole(messages: list[Any]) -> Any:
        return messages

    @openai.call("gpt-4o-mini", stream=True)
    async def streamed(messages: list[Any]) -> Any:
        return messages

    async def complete(request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        if not body.get("stream"):
            answer = await whole(body["messages"])
            return Response(answer.response.model_dump_json(), media_type="application/json")
        stream = await streamed(body["messages"])

        async def events() -> AsyncIterator[bytes]:
            async for data in stream.raw():
                yield data
            assert stream.usage is not None and stream.cost is not None

        return event_stream(events())

    return complete


async def serve(complete: Any) -> None:
    # With the protocol, asyncio switches off Nagle's algorithm.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(f"Serving a relay at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    app = Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])
    config = uvicorn.Config(app, http="httptools", lifespan="off", log_level="warning", access_log=False)
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(serve({"sdk": on_sdk, "raw": on_raw}[sys.argv[1]]()))
