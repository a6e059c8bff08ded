"""Anthropic's Message Batches API.

https://docs.anthropic.com/en/docs/build-with-claude/batch-processing
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..._engine.batch_api import JobAnswer, JobRequest, JobState, body_of, collected, unsent_options
from ..._engine.drive import Flow
from ..sdk_model import dump_event

# Any: clients and objects of the SDK.

_TEMPORARY: Final = frozenset({"api_error", "overloaded_error", "rate_limit_error", "timeout_error"})


@dataclass(frozen=True, slots=True)
class MessageBatchApi:
    """The Message Batches API."""

    max_requests: int = 100_000
    max_bytes: int = 256_000_000

    def unsent(self, kwargs: Mapping[str, Any]) -> Sequence[str]:
        return unsent_options(kwargs)

    def submit(self, client: Any, requests: Sequence[JobRequest], name: str) -> Flow:
        listed = [{"custom_id": one.id, "params": body_of(one.kwargs)} for one in requests]
        batch = yield partial(client.messages.batches.create, requests=listed)
        return batch.id

    def find(self, client: Any, name: str, since: float) -> Flow:
        # A batch has neither a name nor metadata.
        yield from ()

    def state(self, client: Any, job: str) -> Flow:
        batch = yield partial(client.messages.batches.retrieve, job)
        return JobState(ended=batch.processing_status == "ended", handle=job)

    def answers(self, client: Any, state: JobState) -> Flow:
        decoder = yield partial(client.messages.batches.results, state.handle)
        results = yield partial(collected, decoder)
        return list(_answers(results))

    def cancel(self, client: Any, job: str) -> Flow:
        yield partial(client.messages.batches.cancel, job)


def _answers(results: list[Any]) -> Iterator[JobAnswer]:
    for one in results:
        result = one.result
        if result.type == "succeeded":
            yield JobAnswer(one.custom_id, dump_event(result.message).encode())
        elif result.type == "errored":
            error = result.error.error
            yield JobAnswer(
                one.custom_id, failure=f"{error.type}: {error.message}", is_final=error.type not in _TEMPORARY
            )
        else:
            yield JobAnswer(one.custom_id, failure=f"the request was {result.type}", is_final=False)


MESSAGES: Final = MessageBatchApi()
