"""The prepared requests of a decorated function are not part of its pickles, which other processes use."""

from __future__ import annotations

import pickle

from ferroscope._engine.plan import DirectRequests


class Client:
    """A client that can be pickled; its requests still belong to this process."""


def test_a_pickle_has_no_prepared_requests() -> None:
    client, requests = Client(), DirectRequests()
    requests[client] = object()  # type: ignore[assignment]
    copied = pickle.loads(pickle.dumps(requests))
    assert (type(copied), len(copied), len(requests)) == (DirectRequests, 0, 1)
