//! Vercel's UI message stream: `start`, then steps with parts and tool calls, then `finish` and `[DONE]`.

use super::{Emitter, Part, one_line, write_json, write_member, write_part_id};
use crate::json::write_string;

pub(super) fn start(emitter: &mut Emitter) {
    emitter.event(|emitter, out| {
        out.push_str("{\"type\":\"start\"");
        write_member("messageId", &emitter.answer.id, out);
        out.push('}');
    });
}

pub(super) fn open(emitter: &mut Emitter, part: Part) {
    part_event(emitter, part, "-start", "");
}

pub(super) fn piece(emitter: &mut Emitter, part: Part, text: &str) {
    part_event(emitter, part, "-delta", text);
}

pub(super) fn close(emitter: &mut Emitter, part: Part) {
    part_event(emitter, part, "-end", "");
}

fn part_event(emitter: &mut Emitter, part: Part, kind: &str, text: &str) {
    emitter.event(|emitter, out| {
        out.push_str(if part == Part::Text { "{\"type\":\"text" } else { "{\"type\":\"reasoning" });
        out.push_str(kind);
        out.push_str("\",\"id\":");
        write_part_id(emitter, part, out);
        if !text.is_empty() {
            write_member("delta", text, out);
        }
        out.push('}');
    });
}

pub(super) fn call_start(emitter: &mut Emitter, call: usize) {
    call_event(emitter, call, "tool-input-start", true, |_| {});
}

pub(super) fn arguments(emitter: &mut Emitter, call: usize, arguments: &str) {
    call_event(emitter, call, "tool-input-delta", false, |out| {
        write_member("inputTextDelta", arguments, out)
    });
}

pub(super) fn available(emitter: &mut Emitter, call: usize, arguments: &str) {
    let input = emitter.json_of(arguments);
    call_event(emitter, call, "tool-input-available", true, |out| {
        out.push_str(",\"input\":");
        out.push_str(&input);
    });
}

pub(super) fn output(emitter: &mut Emitter, call: usize, output: &str, is_error: bool) {
    if is_error {
        call_event(emitter, call, "tool-output-error", false, |out| write_member("errorText", output, out));
    } else {
        let output = one_line(&mut emitter.tape, output);
        call_event(emitter, call, "tool-output-available", false, |out| {
            out.push_str(",\"output\":");
            out.push_str(&output);
        });
    }
}

fn call_event(emitter: &mut Emitter, call: usize, kind: &str, named: bool, rest: impl FnOnce(&mut String)) {
    emitter.event(|emitter, out| {
        let call = &emitter.calls[call];
        out.push_str("{\"type\":\"");
        out.push_str(kind);
        out.push('"');
        write_member("toolCallId", &call.id, out);
        if named {
            write_member("toolName", &call.name, out);
        }
        rest(out);
        out.push('}');
    });
}

pub(super) fn data(emitter: &mut Emitter, name: &str, json: &str) {
    let json = one_line(&mut emitter.tape, json);
    emitter.event(|_, out| {
        out.push('{');
        let mut kind = String::new();
        write_member("type", &format!("data-{name}"), &mut kind);
        out.push_str(&kind[1..]);
        out.push_str(",\"data\":");
        out.push_str(&json);
        out.push('}');
    });
}

pub(super) fn source(emitter: &mut Emitter, url: &str, title: &str) {
    emitter.event(|emitter, out| {
        out.push_str("{\"type\":\"source-url\"");
        write_member("sourceId", &format!("source-{}", emitter.next), out);
        write_member("url", url, out);
        if !title.is_empty() {
            write_member("title", title, out);
        }
        out.push('}');
    });
}

pub(super) fn file(emitter: &mut Emitter, url: &str, media_type: &str) {
    emitter.event(|_, out| {
        out.push_str("{\"type\":\"file\"");
        write_member("url", url, out);
        write_member("mediaType", media_type, out);
        out.push('}');
    });
}

pub(super) fn finish(emitter: &mut Emitter, reason: &str, usage: Option<&str>, cost: Option<&str>) {
    emitter.event(|_, out| {
        out.push_str("{\"type\":\"finish\"");
        write_member("finishReason", reason_of(reason), out);
        out.push_str(",\"messageMetadata\":{\"finishReason\":");
        write_string(reason_of(reason), out);
        write_json("usage", usage, out);
        write_json("costUsd", cost, out);
        out.push('}');
        out.push('}');
    });
    end(emitter);
}

pub(super) fn error(emitter: &mut Emitter, message: &str) {
    emitter.event(|_, out| {
        out.push_str("{\"type\":\"error\"");
        write_member("errorText", message, out);
        out.push('}');
    });
    end(emitter);
}

pub(super) fn abort(emitter: &mut Emitter) {
    emitter.event(|_, out| out.push_str("{\"type\":\"abort\"}"));
    end(emitter);
}

fn end(emitter: &mut Emitter) {
    emitter.event(|_, out| out.push_str("[DONE]"));
}

fn reason_of(reason: &str) -> &str {
    match reason {
        "stop" | "length" => reason,
        "tool_calls" => "tool-calls",
        "content_filter" => "content-filter",
        _ => "other",
    }
}
