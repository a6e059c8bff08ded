"""A service of resumable streams, run as several processes: `python service.py PORT PROVIDER REDIS PREFIX`."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from openai import AsyncOpenAI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ferroscope.core import openai
from ferroscope.web import EventsGoneError, ResumableStreams, StreamNotFoundError
from ferroscope.web.redis import RedisStore
from ferroscope.web.starlette import EventResponse

port, provider, redis, prefix = sys.argv[1:]
client = AsyncOpenAI(api_key="sk-test-key", base_url=provider, max_retries=0)
streams = ResumableStreams(RedisStore(redis, prefix=prefix), grace=4.0, lease=4.0)


@openai.call("gpt-4o-mini", stream=True, client=client)
async def assistant() -> str:
    return "Go on."


async def start(request: Request) -> Response:
    return EventResponse(await streams.start(await assistant(), owner=request.headers["x-user"]))


async def follow(request: Request) -> Response:
    try:
        reader = await streams.follow(
            request.path_params["id"], owner=request.headers["x-user"], after=request.headers.get("last-event-id")
        )
    except (StreamNotFoundError, EventsGoneError) as error:
        raise HTTPException(error.status_code) from None
    return EventResponse(reader)


async def stop(request: Request) -> Response:
    try:
        await streams.stop(request.path_params["id"], owner=request.headers["x-user"])
    except StreamNotFoundError as error:
        raise HTTPException(error.status_code) from None
    return Response(status_code=204)


app: Any = Starlette(
    routes=[
        Route("/chat", start, methods=["POST"]),
        Route("/chat/{id}", follow),
        Route("/chat/{id}/stop", stop, methods=["POST"]),
    ]
)
if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(port), http="httptools", log_level="warning")
