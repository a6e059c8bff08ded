"""A provider's batch API: jobs of many requests, whose results are ready within hours, at a lower price."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from .drive import Flow

# Any: clients and objects of any SDK.


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request of a job.

    Attributes:
        id: The id of the request inside the job.
        kwargs: The keyword arguments for the SDK's method.
    """

    id: str
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JobState:
    """The state of a job.

    Attributes:
        ended: Whether its results can be read.
        failure: The reason for which the job as a whole failed; empty if it did not.
        handle: What `answers` needs, such as the SDK's object.
    """

    ended: bool
    failure: str = ""
    handle: Any = None


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """The answer to a request of a job.

    Attributes:
        id: The id of the request.
        body: The response body, as `Dialect.read_response` reads it; empty for a failure.
        failure: The message of the failure.
        status: The HTTP status of the failure; None if the provider reports none.
        is_final: Whether the same request would fail again.
    """

    id: str
    body: bytes = b""
    failure: str = ""
    status: int | None = None
    is_final: bool = True


class BatchApi(Protocol):
    """A provider's batch API. The steps call methods of the SDK's sync or async client.

    Attributes:
        max_requests: The maximum number of requests in a job.
        max_bytes: The maximum size of a job in bytes.
    """

    @property
    def max_requests(self) -> int: ...
    @property
    def max_bytes(self) -> int: ...

    def unsent(self, kwargs: Mapping[str, Any]) -> Sequence[str]:
        """Return the names of the options of a request that a job cannot send."""
        ...

    def submit(self, client: Any, requests: Sequence[JobRequest], name: str) -> Flow:
        """Yield the steps that start a job, and return its id. `name` is the name by which `find` finds the job."""
        ...

    def find(self, client: Any, name: str, since: float) -> Flow:
        """Yield the steps that look for a job by its name, and return its id; None if there is none.

        Without names of jobs in the API, the result is None.

        Args:
            client: The SDK's client.
            name: The name.
            since: The time before which the job cannot have been started, in seconds since the epoch.
        """
        ...

    def state(self, client: Any, job: str) -> Flow:
        """Yield the steps that read the state of a job, and return its `JobState`."""
        ...

    def answers(self, client: Any, state: JobState) -> Flow:
        """Yield the steps that read the results of a job that has ended, and return a list of `JobAnswer`.

        Requests that were cancelled or have expired may be missing.
        """
        ...

    def cancel(self, client: Any, job: str) -> Flow:
        """Yield the steps that cancel a job. Results that are there remain."""
        ...


# Arguments of the SDKs' methods that are not members of the body.
_NOT_SENT = frozenset({"extra_headers", "extra_query", "extra_body", "timeout"})


def body_of(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON body of a request from the keyword arguments of an SDK's method."""
    body = {name: value for name, value in kwargs.items() if name not in _NOT_SENT and not _is_omitted(value)}
    body.update(kwargs.get("extra_body") or {})
    sent: dict[str, Any] = json.loads(json.dumps(body, default=_plain))
    return sent


def unsent_options(kwargs: Mapping[str, Any]) -> list[str]:
    """Return the names of the options that belong to the HTTP request, not to its body."""
    return [name for name in ("extra_headers", "extra_query") if kwargs.get(name) and not _is_omitted(kwargs[name])]


def _is_omitted(value: object) -> bool:
    return type(value).__name__ in ("NotGiven", "Omit")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value)


def first_match(items: Any, matches: Callable[[Any], bool], is_last: Callable[[Any], bool]) -> Any:
    """Return the first item that matches, or None; for an async iterable, return an awaitable of it.

    Args:
        items: The items, such as the pages of a list, which are requested as they are read.
        matches: Whether an item is the one.
        is_last: Whether no item after this one can match.
    """
    if isinstance(items, AsyncIterable):
        return _afirst_match(items, matches, is_last)
    assert isinstance(items, Iterable)
    for item in items:
        if matches(item):
            return item
        if is_last(item):
            return None
    return None


async def _afirst_match(
    items: AsyncIterable[Any], matches: Callable[[Any], bool], is_last: Callable[[Any], bool]
) -> Any:
    async for item in items:
        if matches(item):
            return item
        if is_last(item):
            return None
    return None


def collected(items: Any) -> Any:
    """Return the items of an iterable in a list; for an async iterable, return an awaitable of it."""
    if isinstance(items, AsyncIterable):
        return _acollected(items)
    assert isinstance(items, Iterable)
    return list(items)


async def _acollected(items: AsyncIterable[Any]) -> list[Any]:
    return [item async for item in items]
