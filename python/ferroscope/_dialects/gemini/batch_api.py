"""The batch API of the Gemini API, with the requests and the results inside the job.

https://ai.google.dev/gemini-api/docs/batch-api
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..._engine.batch_api import JobAnswer, JobRequest, JobState, first_match
from ..._engine.drive import Flow
from .parameters import config_dict
from .sdk_objects import dump_event

# Any: clients and objects of the SDK.

_ENDED: Final = frozenset({"SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})
# https://grpc.io/docs/guides/status-codes: the codes that a second request cannot change
_FINAL_CODES: Final = frozenset({3, 5, 7, 9, 11, 12, 16})
_ID: Final = "ferroscope_id"


@dataclass(frozen=True, slots=True)
class InlinedBatchApi:
    """A batch API with inlined requests."""

    max_requests: int = 5_000
    max_bytes: int = 19_000_000

    def unsent(self, kwargs: Mapping[str, Any]) -> Sequence[str]:
        # The SDK sends these with a single request only.
        options = config_dict(config_dict(kwargs.get("config")).get("http_options"))
        found = {"extra_headers": options.get("headers"), "extra_body": options.get("extra_body")}
        return [name for name, value in found.items() if value or kwargs.get(name)]

    def submit(self, client: Any, requests: Sequence[JobRequest], name: str) -> Flow:
        models = {one.kwargs["model"] for one in requests}
        listed = [
            {"contents": one.kwargs["contents"], "config": one.kwargs.get("config"), "metadata": {_ID: one.id}}
            for one in requests
        ]
        config = {"display_name": name}
        job = yield partial(client.batches.create, model=next(iter(models)), src=listed, config=config)
        return job.name

    def find(self, client: Any, name: str, since: float) -> Flow:
        listed = yield partial(client.batches.list, config={"page_size": 100})
        # The order of the list is not documented.
        job = yield partial(first_match, listed, lambda one: one.display_name == name, lambda one: False)
        return None if job is None else job.name

    def state(self, client: Any, job: str) -> Flow:
        found = yield partial(client.batches.get, name=job)
        name = str(getattr(found.state, "value", found.state)).removeprefix("JOB_STATE_")
        if name not in _ENDED:
            return JobState(ended=False)
        if name == "FAILED" and not (found.dest and found.dest.inlined_responses):
            reason = getattr(found.error, "message", None) or "no reason was reported"
            return JobState(True, f"the job {job!r} failed: {reason}", found)
        return JobState(ended=True, handle=found)

    def answers(self, client: Any, state: JobState) -> Flow:
        yield from ()
        destination = state.handle.dest
        return list(_answers((destination and destination.inlined_responses) or []))

    def cancel(self, client: Any, job: str) -> Flow:
        yield partial(client.batches.cancel, name=job)


def _answers(results: list[Any]) -> Iterator[JobAnswer]:
    for one in results:
        identifier = (one.metadata or {}).get(_ID)
        if identifier is None:
            continue
        if one.response is not None:
            yield JobAnswer(identifier, dump_event(one.response).encode())
        elif one.error is not None:
            code = one.error.code
            yield JobAnswer(identifier, failure=str(one.error.message), is_final=code in _FINAL_CODES)


INLINED: Final = InlinedBatchApi()
