"""The Files API of the Gemini API: resumable uploads, and what the API reports of a file.

https://ai.google.dev/api/files
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from ferroscope.testing._http import Request, Response, json_response

__all__ = ["GeminiFiles"]

_PATH = re.compile(r"(?P<mount>/google)(?P<upload>/upload)?/v1(?:alpha|beta)?/files(?:/(?P<name>[\w-]+))?")


@dataclass(slots=True)
class _File:
    """An uploaded file: its media type, its size so far, and how often its state was asked for."""

    media_type: str
    size: int = 0
    is_complete: bool = False
    polls: int = 0


@dataclass(slots=True)
class GeminiFiles:
    """The files of one server. A video is processed until its state is asked for the first time."""

    _files: dict[str, _File] = field(default_factory=dict[str, _File])

    def respond(self, request: Request) -> Response | None:
        """Return the response to a request of the Files API; None for another request."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return None
        name = found["name"]
        if found["upload"] and request.method == "POST":
            return self._start(request, found["mount"]) if name is None else self._receive(request, name)
        if name is None and request.method == "GET":
            files = [self._describe(one) for one, file in self._files.items() if file.is_complete]
            return _json({"files": files})
        if name is None or name not in self._files or request.method not in ("GET", "DELETE"):
            status = {"code": 404, "message": f"no file at {request.method} {request.path}", "status": "NOT_FOUND"}
            return _json({"error": status}, status=404)
        if request.method == "DELETE":
            del self._files[name]
            return _json({})
        self._files[name].polls += 1
        return _json(self._describe(name))

    def _start(self, request: Request, mount: str) -> Response:
        name = f"file-{len(self._files) + 1}"
        media_type = request.headers.get("x-goog-upload-header-content-type") or "application/octet-stream"
        self._files[name] = _File(media_type)
        url = f"http://{request.headers['host']}{mount}/upload/v1beta/files/{name}"
        return _json({}, ("x-goog-upload-url", url), ("x-goog-upload-status", "active"))

    def _receive(self, request: Request, name: str) -> Response:
        file = self._files[name]
        file.size += len(request.body)
        if "finalize" not in request.headers.get("x-goog-upload-command", ""):
            return _json({}, ("x-goog-upload-status", "active"))
        file.is_complete = True
        return _json({"file": self._describe(name)}, ("x-goog-upload-status", "final"))

    def _describe(self, name: str) -> dict[str, Any]:
        file = self._files[name]
        processing = file.media_type.startswith("video/") and not file.polls
        return {
            "name": f"files/{name}",
            "mimeType": file.media_type,
            "sizeBytes": str(file.size),
            "uri": f"https://generativelanguage.googleapis.com/v1beta/files/{name}",
            "state": "PROCESSING" if processing else "ACTIVE",
        }


def _json(body: Any, *headers: tuple[str, str], status: int = 200) -> Response:
    return json_response(json.dumps(body).encode(), headers=headers, status=status)
