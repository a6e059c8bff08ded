"""The batch API of OpenAI, Azure and servers like them: a file of requests, and two files of results.

https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from ..._engine.batch_api import JobAnswer, JobRequest, JobState, body_of, first_match, unsent_options
from ..._engine.drive import Flow

# Any: clients and objects of the SDK, which may be of any version.

_RUNNING: Final = frozenset({"validating", "in_progress", "finalizing", "cancelling"})
# A member of the metadata of a job, which the list of jobs has too.
_NAME: Final = "ferroscope_job"
# The clocks of the program and of the server may differ by so many seconds.
_CLOCK: Final = 3600


@dataclass(frozen=True, slots=True)
class FileBatchApi:
    """A batch API with files.

    Attributes:
        endpoint: The path of the requests.
    """

    endpoint: str
    max_requests: int = 50_000
    max_bytes: int = 200_000_000

    def unsent(self, kwargs: Mapping[str, Any]) -> Sequence[str]:
        return unsent_options(kwargs)

    def submit(self, client: Any, requests: Sequence[JobRequest], name: str) -> Flow:
        lines = [
            orjson.dumps({"custom_id": one.id, "method": "POST", "url": self.endpoint, "body": body_of(one.kwargs)})
            for one in requests
        ]
        upload = ("requests.jsonl", b"\n".join(lines) + b"\n", "application/jsonl")
        file = yield partial(client.files.create, file=upload, purpose="batch")
        arguments: dict[str, Any] = {"endpoint": self.endpoint, "completion_window": "24h", "input_file_id": file.id}
        batch = yield partial(client.batches.create, **arguments, metadata={_NAME: name})
        return batch.id

    def find(self, client: Any, name: str, since: float) -> Flow:
        def matches(one: Any) -> bool:
            return (one.metadata or {}).get(_NAME) == name

        def is_older(one: Any) -> bool:  # the newest is the first
            return isinstance(one.created_at, int) and one.created_at < since - _CLOCK

        listed = yield partial(client.batches.list, limit=100)
        batch = yield partial(first_match, listed, matches, is_older)
        return None if batch is None else batch.id

    def state(self, client: Any, job: str) -> Flow:
        batch = yield partial(client.batches.retrieve, job)
        if batch.status in _RUNNING:
            return JobState(ended=False)
        if batch.status == "failed":
            reasons = [str(one.message) for one in (batch.errors.data if batch.errors else None) or ()]
            return JobState(True, f"the job {job!r} failed: {'; '.join(reasons) or 'no reason was reported'}", batch)
        return JobState(ended=True, handle=batch)

    def answers(self, client: Any, state: JobState) -> Flow:
        found: list[JobAnswer] = []
        # An empty text is the same as no file.
        for file in (state.handle.output_file_id, state.handle.error_file_id):
            if file:
                content = yield partial(client.files.content, file)
                found += _answers(content.content)
        return found

    def cancel(self, client: Any, job: str) -> Flow:
        yield partial(client.batches.cancel, job)


def _answers(content: bytes) -> Iterator[JobAnswer]:
    for line in content.splitlines():
        if not line.strip():
            continue
        result = orjson.loads(line)
        response, error = result.get("response"), result.get("error")
        if response is not None and response.get("status_code") == 200:
            yield JobAnswer(result["custom_id"], orjson.dumps(response["body"]))
        elif response is not None:
            status, body = response.get("status_code"), response.get("body")
            reported = body.get("error") if isinstance(body, dict) else None
            message = reported.get("message") if isinstance(reported, dict) else json.dumps(body)
            is_final = isinstance(status, int) and status < 500 and status != 429
            yield JobAnswer(result["custom_id"], failure=str(message), status=status, is_final=is_final)
        elif error is not None:
            # The request was not sent: the batch was cancelled or has expired.
            message = f"{error.get('code')}: {error.get('message')}"
            yield JobAnswer(result["custom_id"], failure=message, is_final=False)


CHAT: Final = FileBatchApi("/v1/chat/completions")
RESPONSES: Final = FileBatchApi("/v1/responses")
# https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch
AZURE_CHAT: Final = FileBatchApi("/chat/completions", max_requests=100_000)
AZURE_RESPONSES: Final = FileBatchApi("/v1/responses", max_requests=100_000)
