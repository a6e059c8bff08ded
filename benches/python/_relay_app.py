"""A relay written by hand with Starlette and the OpenAI SDK, for `bench_relay.py`: `uvicorn _relay_app:app`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

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

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-cache"})


app = Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])


if __name__ == "__main__":
    import socket

    import uvicorn

    # With the protocol, asyncio switches off Nagle's algorithm.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(f"Serving a relay at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, http="httptools", lifespan="off", log_level="warning", access_log=False)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
