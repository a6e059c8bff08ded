//! AG-UI: a run with messages, reasoning and tool calls. A message is closed before anything else begins.

use super::{Emitter, Part, one_line, write_json, write_member, write_part_id};
use crate::json::write_string;

pub(super) fn start(emitter: &mut Emitter) {
    emitter.event(|emitter, out| {
        out.push_str("{\"type\":\"RUN_STARTED\"");
        write_run(emitter, out);
        out.push('}');
    });
}

pub(super) fn open(emitter: &mut Emitter, part: Part) {
    if part == Part::Text {
        part_event(emitter, part, "TEXT_MESSAGE_START", |out| write_member("role", "assistant", out));
    } else {
        part_event(emitter, part, "REASONING_START", |_| {});
        part_event(emitter, part, "REASONING_MESSAGE_START", |out| write_member("role", "reasoning", out));
    }
}

pub(super) fn piece(emitter: &mut Emitter, part: Part, text: &str) {
    let kind = if part == Part::Text { "TEXT_MESSAGE_CONTENT" } else { "REASONING_MESSAGE_CONTENT" };
    part_event(emitter, part, kind, |out| write_member("delta", text, out));
}

pub(super) fn close(emitter: &mut Emitter, part: Part) {
    if part == Part::Text {
        part_event(emitter, part, "TEXT_MESSAGE_END", |_| {});
    } else {
        part_event(emitter, part, "REASONING_MESSAGE_END", |_| {});
        part_event(emitter, part, "REASONING_END", |_| {});
    }
}

fn part_event(emitter: &mut Emitter, part: Part, kind: &str, rest: impl FnOnce(&mut String)) {
    emitter.event(|emitter, out| {
        out.push_str("{\"type\":\"");
        out.push_str(kind);
        out.push_str("\",\"messageId\":");
        write_part_id(emitter, part, out);
        rest(out);
        out.push('}');
    });
}

pub(super) fn call_start(emitter: &mut Emitter, call: usize) {
    call_event(emitter, call, "TOOL_CALL_START", |name, out| write_member("toolCallName", name, out));
}

pub(super) fn arguments(emitter: &mut Emitter, call: usize, arguments: &str) {
    call_event(emitter, call, "TOOL_CALL_ARGS", |_, out| write_member("delta", arguments, out));
}

pub(super) fn call_end(emitter: &mut Emitter, call: usize) {
    call_event(emitter, call, "TOOL_CALL_END", |_, _| {});
}

pub(super) fn output(emitter: &mut Emitter, call: usize, output: &str, is_error: bool) {
    emitter.parts += 1;
    let message = format!("{}-tool-{}", emitter.answer.id, emitter.parts);
    call_event(emitter, call, "TOOL_CALL_RESULT", |_, out| {
        write_member("messageId", &message, out);
        write_member("content", output, out);
        write_member("role", "tool", out);
        if is_error {
            out.push_str(",\"metadata\":{\"isError\":true}");
        }
    });
}

fn call_event(emitter: &mut Emitter, call: usize, kind: &str, rest: impl FnOnce(&str, &mut String)) {
    emitter.event(|emitter, out| {
        let call = &emitter.calls[call];
        out.push_str("{\"type\":\"");
        out.push_str(kind);
        out.push('"');
        write_member("toolCallId", &call.id, out);
        rest(&call.name, out);
        out.push('}');
    });
}

pub(super) fn custom(emitter: &mut Emitter, name: &str, json: &str) {
    let json = one_line(&mut emitter.tape, json);
    emitter.event(|_, out| {
        out.push_str("{\"type\":\"CUSTOM\"");
        write_member("name", name, out);
        out.push_str(",\"value\":");
        out.push_str(&json);
        out.push('}');
    });
}

pub(super) fn finish(emitter: &mut Emitter, reason: &str, usage: Option<&str>, cost: Option<&str>) {
    emitter.event(|emitter, out| {
        out.push_str("{\"type\":\"RUN_FINISHED\"");
        write_run(emitter, out);
        write_json("usage", usage, out);
        out.push_str(",\"outcome\":{\"type\":\"success\"},\"result\":{\"finishReason\":");
        write_string(reason, out);
        write_json("costUsd", cost, out);
        out.push_str("}}");
    });
}

pub(super) fn error(emitter: &mut Emitter, message: &str, code: &str) {
    emitter.event(|_, out| {
        out.push_str("{\"type\":\"RUN_ERROR\"");
        write_member("message", message, out);
        write_member("code", code, out);
        out.push('}');
    });
}

/// A run must not finish while calls are open: theirs end with the run's error.
pub(super) fn abort(emitter: &mut Emitter) {
    if emitter.incomplete_call().is_some() {
        return error(emitter, "the answer was stopped", "aborted");
    }
    emitter.event(|emitter, out| {
        out.push_str("{\"type\":\"RUN_FINISHED\"");
        write_run(emitter, out);
        out.push_str(",\"outcome\":{\"type\":\"cancelled\"}}");
    });
}

fn write_run(emitter: &Emitter, out: &mut String) {
    write_member("threadId", &emitter.answer.thread, out);
    write_member("runId", &emitter.answer.id, out);
}
