"""The providers' own batch APIs: the same call, half the price, and jobs that outlive the process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ferroscope import llm
from ferroscope._engine.drive import adrive, drive
from ferroscope.batch import BatchRowError, Checkpoint, RowResult, map_rows
from ferroscope.batch._checkpoint import RunRecorder
from ferroscope.batch._requests import request_hash
from ferroscope.batch._run import RowState
from ferroscope.batch._target import target_of
from ferroscope.errors import TemplateError
from ferroscope.testing import Answer, Json, ProviderServer, Status, ToolCall
from ferroscope.testing._http import Request


@dataclass(frozen=True)
class Api:
    """A provider's batch API, the paths of its jobs, and the variables of its SDK."""

    provider: str
    model: str
    variables: dict[str, str]
    options: dict[str, Any]
    module: str
    job: str  # the end of the path that starts a job


APIS = {
    "openai": Api(
        "openai",
        "gpt-4o-mini",
        {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": "{openai}"},
        {},
        "openai",
        "/batches",
    ),
    "openai-responses": Api(
        "openai",
        "gpt-4o-mini",
        {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": "{openai}"},
        {"call_params": {"api": "responses"}},
        "openai",
        "/batches",
    ),
    "azure": Api(
        "azure",
        "gpt-4o-mini",
        {
            "AZURE_OPENAI_API_KEY": "test",
            "AZURE_OPENAI_ENDPOINT": "{azure}",
            "OPENAI_API_VERSION": "2025-03-01-preview",
        },
        {},
        "openai",
        "/batches",
    ),
    "anthropic": Api(
        "anthropic",
        "claude-haiku-4-5",
        {"ANTHROPIC_API_KEY": "test", "ANTHROPIC_BASE_URL": "{anthropic}"},
        {},
        "anthropic",
        "/v1/messages/batches",
    ),
    "google": Api(
        "google",
        "gemini-2.5-flash",
        {"GOOGLE_API_KEY": "test", "GOOGLE_GEMINI_BASE_URL": "{google}"},
        {},
        "google.genai",
        ":batchGenerateContent",
    ),
}


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    found = APIS[request.param]
    pytest.importorskip(found.module)
    return found


@pytest.fixture
def server(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        urls = {name: running.base_url(name) for name in ("openai", "azure", "anthropic", "google")}
        for name, value in api.variables.items():
            monkeypatch.setenv(name, value.format(**urls))
        yield running


def decorated(api: Api, kind: str, **options: Any) -> Any:
    if kind == "sync":

        @llm.call(api.provider, api.model, **api.options, **options)
        def call(text: str) -> str:
            return f"Repeat: {text}"

        return call

    @llm.call(api.provider, api.model, **api.options, **options)
    async def call_async(text: str) -> str:
        return f"Repeat: {text}"

    return call_async


def run(fn: Any, rows: Any, path: Path, **options: Any) -> list[RowResult[Any]]:
    options = {"batch_api": True, "poll_seconds": 0.01, "checkpoint": path / "c", **options}
    results = map_rows(fn, rows, **options)
    if hasattr(results, "__iter__"):
        return list(results)
    return asyncio.run(results.collect())


def texts(count: int) -> list[dict[str, str]]:
    return [{"text": f"row-{number}"} for number in range(count)]


def echo(request: Request) -> str:
    """Return the text of the row in a request of any format."""
    body = request.body.decode()
    start = body.index("Repeat: ") + len("Repeat: ")
    return body[start : body.index('"', start)]


def jobs(server: ProviderServer, api: Api) -> int:
    return len([one for one in server.requests if one.method == "POST" and one.path.endswith(api.job)])


def test_results_have_the_order_of_the_rows_and_half_the_price(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str
) -> None:
    server.reply_always(lambda one: echo(one))
    call = decorated(api, kind)
    results = run(call, texts(7), tmp_path, job_rows=3)
    assert [one.value.content for one in results] == [f"row-{number}" for number in range(7)]
    assert jobs(server, api) == 3
    single = map_rows(call, texts(1))
    (direct,) = list(single) if hasattr(single, "__iter__") else asyncio.run(single.collect())
    assert direct.cost is not None and direct.cost > 0
    assert {one.cost for one in results} == {direct.cost / 2}
    assert {one.value.cost for one in results} == {float(direct.cost / 2)}
    again = run(call, texts(7), tmp_path)
    assert jobs(server, api) == 3
    assert [(one.restored, one.cost, one.value.content) for one in again] == [
        (True, one.cost, one.value.content) for one in results
    ]


def test_one_failed_request_does_not_stop_the_rest(server: ProviderServer, tmp_path: Path, api: Api, kind: str) -> None:
    server.reply_always(lambda one: Status(400, "too long") if echo(one) == "row-1" else echo(one))
    call = decorated(api, kind)
    results = run(call, texts(3), tmp_path)
    assert [one.ok for one in results] == [True, False, True]
    with pytest.raises(BatchRowError, match="too long"):
        results[1].result()
    # The failure is final.
    assert [one.restored for one in run(call, texts(3), tmp_path)] == [True] * 3
    server.reply_always("fine")
    assert [one.ok for one in run(call, texts(3), tmp_path, retry_failed=True)] == [True] * 3
    assert jobs(server, api) == 2


def test_a_row_that_cannot_be_rendered_does_not_stop_the_rest(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str
) -> None:
    def rendered(text: str) -> str:
        if text == "row-1":
            raise TemplateError("the prompt has no such variable")
        return f"Repeat: {text}"

    async def rendered_async(text: str) -> str:
        return rendered(text)

    server.reply_always(echo)
    call = llm.call(api.provider, api.model, **api.options)(rendered if kind == "sync" else rendered_async)
    results = run(call, texts(3), tmp_path)
    assert [one.ok for one in results] == [True, False, True]
    assert isinstance(results[1].error, TemplateError)


def test_all_failed_requests_are_failures_with_their_reasons(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str
) -> None:
    server.reply_always(Status(400, "no such thing"))
    results = run(decorated(api, kind), texts(2), tmp_path)
    assert ["no such thing" in str(one.error) for one in results] == [True, True]


def test_expired_requests_are_sent_again_by_the_next_run(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str
) -> None:
    server.reply_always(lambda one: echo(one))
    server.batches.answered = 2
    call = decorated(api, kind)
    results = run(call, texts(5), tmp_path)
    assert sorted(one.ok for one in results) == [False] * 3 + [True] * 2
    server.batches.answered = None
    results = run(call, texts(5), tmp_path)
    assert [one.value.content for one in results] == [f"row-{number}" for number in range(5)]
    assert sorted(one.restored for one in results) == [False] * 3 + [True] * 2


class Book(BaseModel):
    title: str


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def test_models_and_tools(server: ProviderServer, tmp_path: Path, api: Api, kind: str) -> None:
    server.reply_always(Json({"title": "Dune"}))
    books = run(decorated(api, kind, response_model=Book, json_mode=True), texts(2), tmp_path)
    assert [one.value for one in books] == [Book(title="Dune")] * 2
    server.reply_always(Answer(ToolCall("add", {"a": 1, "b": 2})))
    tools = run(decorated(api, kind, tools=[add]), texts(2), tmp_path)
    assert [one.value.tool.call() for one in tools] == [3, 3]


def test_a_stopped_run_leaves_its_jobs_and_the_next_one_reads_them(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str
) -> None:
    server.reply_always(lambda one: echo(one))
    server.batches.polls = 1_000_000
    call = decorated(api, kind)
    results = map_rows(call, texts(4), batch_api=True, poll_seconds=0.01, checkpoint=tmp_path / "c", job_rows=2)

    def stop_when_submitted() -> None:
        server.wait_requests(6)
        results.stop()

    stopper = threading.Thread(target=stop_when_submitted)
    stopper.start()
    found = list(results) if hasattr(results, "__iter__") else asyncio.run(results.collect())
    stopper.join()
    assert (found, results.stats.stopped) == ([], "stopped")
    assert jobs(server, api) == 2
    server.batches.polls = 1
    # A row was added at the front, and one was removed.
    rows = [{"text": "new"}, *texts(4)[1:]]
    second = run(call, rows, tmp_path, job_rows=2)
    assert [one.value.content for one in second] == ["new", "row-1", "row-2", "row-3"]
    assert jobs(server, api) == 3
    with Checkpoint(tmp_path / "c") as checkpoint:
        assert checkpoint.unfinished_jobs() == {}


def test_the_deadline_cancels_the_jobs(server: ProviderServer, tmp_path: Path, api: Api, kind: str) -> None:
    server.reply_always(lambda one: echo(one))
    server.batches.polls = 1_000_000
    call = decorated(api, kind)
    results = run(call, texts(3), tmp_path, deadline=0.3)
    assert [one.ok for one in results] == [False] * 3
    server.batches.polls = 1
    assert [one.ok for one in run(call, texts(3), tmp_path)] == [True] * 3


@pytest.mark.parametrize("api", ["openai"], indirect=True)
def test_a_job_that_fails_its_validation_fails_its_rows(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str
) -> None:
    server.batches.rejected = "the model has no batch quota"
    results = run(decorated(api, kind), texts(2), tmp_path)
    assert ["the model has no batch quota" in str(one.error) for one in results] == [True, True]


@pytest.mark.parametrize("api", ["openai"], indirect=True)
def test_a_batch_run_needs_a_checkpoint_and_an_api(server: ProviderServer, tmp_path: Path, api: Api, kind: str) -> None:
    with pytest.raises(ValueError, match="`batch_api` needs a `checkpoint`"):
        map_rows(decorated(api, kind), texts(1), batch_api=True)
    other = llm.override(decorated(api, kind), provider="ollama", model="m")
    with pytest.raises(ValueError, match="the provider 'ollama' has no batch API"):
        run(other, texts(1), tmp_path)


@pytest.mark.parametrize("api", ["openai"], indirect=True)
def test_the_cost_of_a_batch_run_is_that_of_its_meter(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str
) -> None:
    server.reply_always("Hello")
    results = map_rows(
        decorated(api, kind), texts(3), batch_api=True, poll_seconds=0.01, checkpoint=tmp_path / "c", budget_usd=1
    )
    found = list(results) if hasattr(results, "__iter__") else asyncio.run(results.collect())
    assert results.stats.cost == sum((one.cost for one in found if one.cost), Decimal(0)) == Decimal("0.00002025")
    assert (results.stats.jobs, results.stats.requests) == (1, 3)


PROGRAM = """
import sys
from ferroscope import llm

@llm.call(sys.argv[2], sys.argv[3])
def call(text: str) -> str:
    return f"Repeat: {text}"

rows = [{"text": f"row-{number}"} for number in range(4)]
list(call.map(rows, batch_api=True, poll_seconds=0.01, checkpoint=sys.argv[1]))
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("api", "kind"), [("openai", "async"), ("azure", "sync"), ("google", "async")], indirect=True)
def test_a_kill_between_the_start_of_a_job_and_its_record_starts_no_second_job(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reply_always(lambda one: echo(one))
    server.batches.confirmed = False
    monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, sys.path)))
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    process = subprocess.Popen([sys.executable, str(program), str(tmp_path / "c"), api.provider, api.model])
    server.wait_requests(1 if api.provider == "google" else 2, 60)  # the others upload a file first
    assert len(server.batches.jobs) == 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.batches.confirmed = True
    results = run(decorated(api, kind), texts(4), tmp_path)
    assert [one.value.content for one in results] == ["row-0", "row-1", "row-2", "row-3"]
    assert (jobs(server, api), len(server.batches.jobs)) == (1, 1)
    with Checkpoint(tmp_path / "c") as checkpoint:
        assert checkpoint.unfinished_jobs() == {}


def test_a_job_that_was_not_started_is_started_by_the_next_run(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str
) -> None:
    server.reply_always(lambda one: echo(one))
    call = decorated(api, kind)
    with Checkpoint(tmp_path / "c") as checkpoint:
        recorder = RunRecorder(checkpoint, "call", None, retry_failed=False)
        states = [RowState(index, row, recorder.key(index, row)[0]) for index, row in enumerate(texts(2))]
        for state in states:
            prepared = target_of(call, None, None).prepared(state.row)
            state.request = request_hash(drive(prepared) if kind == "sync" else asyncio.run(adrive(prepared)))
        recorder.add_job("ferroscope-job-1", states)
        asyncio.run(recorder.close(complete=False))
    results = run(call, texts(2), tmp_path)
    assert [one.value.content for one in results] == ["row-0", "row-1"]
    assert jobs(server, api) == 1


@pytest.mark.parametrize("name", ["extra_headers", "extra_query"])
def test_options_that_a_job_cannot_send_are_an_error(
    server: ProviderServer, tmp_path: Path, api: Api, kind: str, name: str
) -> None:
    if api.provider == "google" and name == "extra_query":
        pytest.skip("the SDK has no such option")
    options = {**api.options.get("call_params", {}), name: {"x-canary": "1"}}
    override: Any = llm.override
    call = override(decorated(api, kind), provider=api.provider, model=api.model, call_params=options)
    with pytest.raises(ValueError, match=f"`{name}` cannot be sent in a job of the batch API of '{api.provider}'"):
        run(call, texts(2), tmp_path)
    assert jobs(server, api) == 0
