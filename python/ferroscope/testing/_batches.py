"""The providers' batch APIs: a file or a list of requests, its jobs, and the results in another order.

The requests of a job are answered like single requests, from the same queue of answers, when the job ends.

https://platform.openai.com/docs/guides/batch
https://docs.anthropic.com/en/docs/build-with-claude/batch-processing
https://ai.google.dev/gemini-api/docs/batch-api
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Literal

from ferroscope.testing._http import UNTIL_CLIENT_LEAVES, Headers, Request, Response, json_response

__all__ = ["Batches"]

_OPENAI = re.compile(
    r"(?P<mount>/openai/v1|/azure/openai(?:/v1)?)/(?P<kind>files|batches)(?:/(?P<id>[\w-]+)(?P<action>/\w+)?)?"
)
_ANTHROPIC = re.compile(r"(?P<mount>.*)/v1/messages/batches(?:/(?P<id>[\w-]+)(?P<action>/\w+)?)?")
_GOOGLE = re.compile(
    r"(?P<mount>/google)/v1(?:alpha|beta)?/"
    r"(?:models/(?P<model>[\w.-]+):batchGenerateContent|batches/(?P<id>[\w-]+)(?P<action>:cancel)?|batches)"
)

_State = Literal["running", "cancelled", "expired", "ended", "failed"]
# An answer is None if its request was cancelled or had expired.
_Answered = Callable[[Request], Response]


@dataclass(slots=True)
class _Job:
    """A job: its requests by id, and their answers once it has ended."""

    requests: list[tuple[str, Request]]
    state: _State = "running"
    polls: int = 0
    answers: dict[str, Response] = field(default_factory=dict[str, Response])
    endpoint: str = ""
    output_file: str | None = None
    error_file: str | None = None
    name: Any = None


@dataclass(slots=True)
class Batches:
    """The jobs of one server.

    Attributes:
        polls: The number of times that a job reports that it is running.
        answered: The number of requests that are answered before a job expires; None: all, and it does not expire.
        rejected: The reason for which new jobs fail their validation; None if they do not.
        confirmed: Whether the start of a job has a response. Without one, the client waits until it leaves.
        jobs: The jobs by id.
    """

    polls: int = 1
    answered: int | None = None
    rejected: str | None = None
    confirmed: bool = True
    jobs: dict[str, _Job] = field(default_factory=dict[str, _Job])
    _files: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def respond(self, request: Request, answer: _Answered) -> Response | None:
        """Return the response to a request of a batch API; None for another request."""
        if found := _OPENAI.fullmatch(request.path):
            return self._openai(request, found, answer)
        if found := _ANTHROPIC.fullmatch(request.path):
            return self._anthropic(request, found, answer)
        if found := _GOOGLE.fullmatch(request.path):
            return self._google(request, found, answer)
        return None

    def _poll(self, job: _Job, answer: _Answered) -> None:
        """Answer the requests of a job after its last poll."""
        job.polls += 1
        if job.state != "running" or job.polls <= self.polls:
            return
        count = len(job.requests) if self.answered is None else self.answered
        job.answers = {name: answer(one) for name, one in job.requests[:count]}
        job.state = "ended" if self.answered is None else "expired"

    def _confirmation(self, response: Response) -> Response:
        return response if self.confirmed else replace(response, header_wait=UNTIL_CLIENT_LEAVES)

    def _cancel(self, job: _Job) -> None:
        if job.state == "running":
            job.state = "cancelled"

    # ---- OpenAI, and Azure

    def _openai(self, request: Request, found: re.Match[str], answer: _Answered) -> Response:
        name, action = found["id"], found["action"]
        if found["kind"] == "files":
            if request.method == "POST":
                name = f"file-{len(self._files) + 1}"
                self._files[name] = _uploaded(request)
                size = len(self._files[name])
                return _json({"id": name, "object": "file", "bytes": size, "created_at": 0, "purpose": "batch"})
            if name not in self._files:
                return _not_found(request)
            return Response(pieces=json_response(self._files[name]).pieces, chunked=False)
        if request.method == "POST" and name is None:
            asked = request.json
            lines = [json.loads(line) for line in self._files[asked["input_file_id"]].splitlines()]
            prefix = f"{found['mount'].removesuffix('/v1')}/v1"
            inner = [
                (one["custom_id"], _inner(request, prefix + one["url"].removeprefix("/v1"), one["body"]))
                for one in lines
            ]
            name = f"batch_{len(self.jobs) + 1}"
            state: _State = "failed" if self.rejected is not None else "running"
            self.jobs[name] = _Job(inner, state, endpoint=asked["endpoint"], name=asked.get("metadata"))
            return self._confirmation(_json(self._openai_batch(name)))
        elif name is None:
            newest = [self._openai_batch(one) for one in reversed(self.jobs)]
            return _json({"object": "list", "data": newest, "has_more": False})
        elif name not in self.jobs:
            return _not_found(request)
        elif action == "/cancel":
            self._cancel(self.jobs[name])
        else:
            self._poll(self.jobs[name], answer)
        return _json(self._openai_batch(name))

    def _openai_batch(self, name: str) -> dict[str, Any]:
        job = self.jobs[name]
        if job.state in ("ended", "expired", "cancelled") and job.output_file is None:
            self._write_files(name, job)
        states = {"running": "in_progress", "ended": "completed"}
        failed = self.rejected if job.state == "failed" else None
        errors = {"object": "list", "data": [{"code": "invalid_request", "message": failed, "line": 1}]}
        return {
            "id": name,
            "object": "batch",
            "endpoint": job.endpoint,
            "input_file_id": "file-1",
            "completion_window": "24h",
            "created_at": int(time.time()),
            "status": states.get(job.state, job.state),
            "errors": None if failed is None else errors,
            "output_file_id": job.output_file or None,
            "error_file_id": job.error_file or ("" if job.output_file else None),
            "request_counts": {"total": len(job.requests), "completed": len(job.answers), "failed": 0},
            "metadata": job.name,
        }

    def _write_files(self, name: str, job: _Job) -> None:
        lines: dict[bool, list[bytes]] = {True: [], False: []}
        for key, _ in reversed(job.requests):
            answer = job.answers.get(key)
            line: dict[str, Any] = {"id": f"batch_req_{key}", "custom_id": key, "response": None, "error": None}
            if answer is None:
                line["error"] = {"code": f"batch_{job.state}", "message": f"the batch has {job.state}"}
            else:
                line["response"] = {"status_code": answer.status, "request_id": key, "body": json.loads(answer.body)}
            lines[answer is not None and answer.status == 200].append(json.dumps(line).encode())
        job.output_file = self._add_file(f"{name}-output", lines[True])
        job.error_file = self._add_file(f"{name}-errors", lines[False])

    def _add_file(self, name: str, lines: list[bytes]) -> str:
        if not lines:
            return ""
        self._files[name] = b"\n".join(lines) + b"\n"
        return name

    # ---- Anthropic

    def _anthropic(self, request: Request, found: re.Match[str], answer: _Answered) -> Response:
        name, action = found["id"], found["action"]
        if request.method == "POST" and name is None:
            path = f"{found['mount']}/v1/messages"
            inner = [(one["custom_id"], _inner(request, path, one["params"])) for one in request.json["requests"]]
            name = f"msgbatch_{len(self.jobs) + 1}"
            self.jobs[name] = _Job(inner)
        elif name not in self.jobs:
            return _not_found(request)
        elif action == "/results":
            lines = [json.dumps(one) for one in self._anthropic_results(self.jobs[name])]
            return json_response("\n".join(lines).encode(), headers=[("content-type", "application/x-jsonl")])
        elif action == "/cancel":
            self._cancel(self.jobs[name])
        else:
            self._poll(self.jobs[name], answer)
        job = self.jobs[name]
        ended, none = job.state != "running", {"canceled": 0, "errored": 0, "expired": 0}
        counts = {"processing": 0 if ended else len(job.requests), "succeeded": len(job.answers), **none}
        url = f"http://{request.headers['host']}{found['mount']}/v1/messages/batches/{name}/results"
        return _json(
            {
                "id": name,
                "type": "message_batch",
                "processing_status": "ended" if ended else "in_progress",
                "request_counts": counts,
                "created_at": "2026-01-01T00:00:00Z",
                "expires_at": "2026-01-02T00:00:00Z",
                "ended_at": "2026-01-01T01:00:00Z" if ended else None,
                "archived_at": None,
                "cancel_initiated_at": None,
                "results_url": url if ended else None,
            }
        )

    def _anthropic_results(self, job: _Job) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        for key, _ in reversed(job.requests):
            answer = job.answers.get(key)
            result: dict[str, Any]
            if answer is None:
                result = {"type": "canceled" if job.state == "cancelled" else "expired"}
            elif answer.status == 200:
                result = {"type": "succeeded", "message": json.loads(answer.body)}
            else:
                result = {"type": "errored", "error": json.loads(answer.body)}
            results.append({"custom_id": key, "result": result})
        return results

    # ---- Google

    def _google(self, request: Request, found: re.Match[str], answer: _Answered) -> Response:
        name = found["id"]
        if found["model"]:
            path = request.path.replace(":batchGenerateContent", ":generateContent")
            asked = request.json["batch"]["inputConfig"]["requests"]["requests"]
            inner = [
                (str(number), _inner(request, path, one["request"], one.get("metadata")))
                for number, one in enumerate(asked)
            ]
            name = f"job-{len(self.jobs) + 1}"
            self.jobs[name] = _Job(inner, name=request.json["batch"].get("displayName"))
            return self._confirmation(_json(self._google_job(name)))
        elif name is None:
            return _json({"operations": [self._google_job(one) for one in self.jobs]})
        elif name not in self.jobs:
            return _not_found(request)
        elif found["action"]:
            self._cancel(self.jobs[name])
            return _json({})
        else:
            self._poll(self.jobs[name], answer)
        return _json(self._google_job(name))

    def _google_job(self, name: str) -> dict[str, Any]:
        job = self.jobs[name]
        states = {"running": "RUNNING", "ended": "SUCCEEDED"}
        metadata: dict[str, Any] = {
            "state": f"BATCH_STATE_{states.get(job.state, job.state.upper())}",
            "displayName": job.name,
        }
        if job.answers:
            metadata["output"] = {"inlinedResponses": {"inlinedResponses": self._google_results(job)}}
        return {"name": f"batches/{name}", "metadata": metadata, "done": job.state != "running"}

    def _google_results(self, job: _Job) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        for key, inner in job.requests:
            answer = job.answers.get(key)
            result: dict[str, Any] = {"metadata": json.loads(inner.headers.get("batch-metadata", "null"))}
            if answer is None:
                result["error"] = {"code": 4, "message": f"the batch has {job.state}"}
            elif answer.status == 200:
                result["response"] = json.loads(answer.body)
            else:
                error = json.loads(answer.body)["error"]
                result["error"] = {"code": 3 if answer.status == 400 else 14, "message": error["message"]}
            results.append(result)
        return results


def _inner(request: Request, path: str, body: Any, metadata: object = None) -> Request:
    """Return the single request in a job."""
    headers = Headers([*request.headers.items(), ("batch-metadata", json.dumps(metadata))])
    copied = replace(request, path=path, body=json.dumps(body).encode(), headers=headers, method="POST")
    vars(copied).pop("json", None)
    return copied


def _uploaded(request: Request) -> bytes:
    """Return the file in the form data of an upload."""
    header = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(header + request.body)
    for part in form.iter_parts():
        if part.get_filename() is not None:
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return payload
    raise ValueError("the form data has no file")


def _not_found(request: Request) -> Response:
    return _json({"error": {"message": f"nothing at {request.method} {request.path}"}}, status=404)


def _json(body: Any, status: int = 200) -> Response:
    return json_response(json.dumps(body).encode(), status=status)
