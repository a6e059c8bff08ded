"""Histories that programs sent, and answers that servers gave, as they go back and as they move to another provider.

The recordings lie beside the repository and are not part of it; `contract/test_histories.py` holds the same behaviour
with small histories.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ferroscope import BaseMessageParam, Messages, llm
from ferroscope._dialects.anthropic import messages as anthropic
from ferroscope._dialects.openai_chat import messages as openai_chat
from ferroscope.core.base._messages.provider_data import Endpoint, drop_unsupported
from ferroscope.testing import ProviderServer, Replay

from .recordings import RECORDED, Json, name_of

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recordings lie beside the repository")

FORMATS: dict[str, Any] = {"anthropic": anthropic, "openai_chat": openai_chat}
# The model, and what another provider cannot take.
OTHERS = {"anthropic": "openai_chat", "openai_chat": "anthropic"}
REFUSED = ("Part provided: audio", "Only base64 data is allowed", "only its own provider supports")


def requests(wire_format: str) -> list[tuple[str, dict[str, Json]]]:
    """Return the recorded requests in a format that have messages."""
    found = []
    for path in sorted(RECORDED.glob("*/*/request.json")):
        api = json.loads((path.parent / "meta.json").read_bytes())["api"]
        try:
            body = json.loads(path.read_bytes())
        except ValueError:
            continue
        body = body.get("body", body) if isinstance(body, dict) else {}
        mine = {"anthropic-messages": "anthropic", "openai-chat": "openai_chat"}.get(api)
        if mine == wire_format and isinstance(body, dict) and body.get("messages"):
            found.append((name_of(path.parent), body))
    return found


def plain(wire_format: str, wire: list[Json]) -> list[Json]:
    """Messages without the differences in spelling that mean the same."""
    made = []
    for one in json.loads(json.dumps(wire)):
        message = {name: value for name, value in one.items() if value not in (None, [])}
        content = message.get("content")
        if isinstance(content, list):
            message["content"] = [_plain_block(block) for block in content]
            if wire_format == "openai_chat" and one["role"] in ("assistant", "tool"):
                texts = [block.get("text") for block in message["content"]]
                only_text = all(block.keys() == {"type", "text"} for block in message["content"])
                message["content"] = "".join(texts) if only_text else message["content"]
        for call in message.get("tool_calls", ()):
            call.pop("index", None)
            call["function"]["arguments"] = json.loads(call["function"]["arguments"] or "{}")
        if one["role"] == "tool":
            message.pop("name", None)
            message.setdefault("tool_call_id", None)
        made.append({**message, "content": message.get("content") or None})
    return made


def _plain_block(block: Json) -> Json:
    block = {name: value for name, value in block.items() if (name, value) != ("is_error", False)}
    if block.get("type") == "image_url":
        image = block["image_url"]
        block["image_url"] = image if isinstance(image, dict) else {"url": image}
        block["image_url"].setdefault("detail", "auto")
    if block.get("type") == "tool_result" and isinstance(block.get("content"), list):
        only_text = all(one.keys() == {"type", "text"} for one in block["content"])
        block["content"] = "".join(one["text"] for one in block["content"]) if only_text else block["content"]
    return block


@pytest.mark.parametrize("wire_format", FORMATS)
def test_recorded_histories_go_back_as_they_were_and_on_to_another_provider(wire_format: str) -> None:
    own, other = FORMATS[wire_format], FORMATS[OTHERS[wire_format]]
    found = requests(wire_format)
    assert found
    moved = 0
    for name, body in found:
        here, there = Endpoint("here", body.get("model", "m")), Endpoint("there", "another")
        messages = own.parse_messages(body["messages"], here)
        stored = [BaseMessageParam.model_validate_json(one.model_dump_json()) for one in messages]
        assert stored == messages, name
        back = plain(wire_format, own.render_messages(stored, destination=here))
        sent = plain(wire_format, body["messages"])
        for one, same in zip(back, sent, strict=True):
            if same.get("tool_call_id", "") is None:
                one["tool_call_id"] = None  # without an id in the recording
        assert back == sent, name
        try:
            sendable = drop_unsupported(stored, OTHERS[wire_format], there)
            wire = other.render_messages(sendable, destination=there)
        except ValueError as error:
            if not any(reason in str(error) for reason in REFUSED):
                raise
            continue
        moved += 1
        assert "cache_control" not in json.dumps(wire) or wire_format == "openai_chat", name
        assert len(wire) >= 1
    assert moved > 0.98 * len(found)


def _reasoned() -> Iterator[tuple[Path, dict[str, Json]]]:
    """Return the recordings in OpenAI's format whose answers have something that must go back."""
    for path in sorted(RECORDED.glob("*/*/meta.json")):
        meta = json.loads(path.read_bytes())
        if meta["api"] != "openai-chat" or not meta["stream"] or meta["http_status"] != 200 or meta["framing"] != "sse":
            continue
        raw = (path.parent / meta["response_file"]).read_bytes()
        if b'"reasoning' in raw or b'"extra_content"' in raw:
            yield path.parent, meta


MEMBERS = ("reasoning_content", "reasoning", "reasoning_details")


def test_what_models_thought_goes_back_through_llm(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    seen = 0
    with ProviderServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        for folder, meta in _reasoned():
            server.forget()
            server.reply(Replay(folder / meta["response_file"]))

            @llm.call("openai", "m", stream=True)
            def ask(history: list[Any]) -> list[Any]:
                return history

            try:
                answer = ask([Messages.User("Hi")]).collect()
            except Exception:  # recordings of errors and cut bodies have tests of their own
                continue
            message = (
                answer.response.choices[0].message.model_dump(exclude_none=True) if answer.response.choices else {}
            )
            kept = {name: message[name] for name in MEMBERS if message.get(name)}
            signed = [call["extra_content"] for call in message.get("tool_calls", ()) if "extra_content" in call]
            if not kept and not signed:
                continue
            seen += 1
            stored = BaseMessageParam.model_validate_json(answer.message_param.model_dump_json())
            server.reply("done")
            ask([Messages.User("Hi"), stored, Messages.User("Go on")]).collect()
            sent = server.requests[-1].json["messages"][1]
            assert {name: sent.get(name) for name in kept} == kept, name_of(folder)
            calls = sent.get("tool_calls", ())
            assert [call["extra_content"] for call in calls if "extra_content" in call] == signed, name_of(folder)
    assert seen > 20
