//! OpenAI's chat completion chunks: all chunks of an answer have the same id, model and time.

use super::{Emitter, Part, write_json, write_member};
use crate::json::write_string;
use std::fmt::Write as _;

pub(super) fn start(emitter: &mut Emitter) {
    chunk(emitter, "null", |_, out| out.push_str("{\"role\":\"assistant\",\"content\":\"\"}"));
}

pub(super) fn piece(emitter: &mut Emitter, part: Part, text: &str) {
    chunk(emitter, "null", |_, out| {
        out.push_str(if part == Part::Text { "{\"content\":" } else { "{\"reasoning_content\":" });
        write_string(text, out);
        out.push('}');
    });
}

pub(super) fn call_start(emitter: &mut Emitter, call: usize) {
    chunk(emitter, "null", |emitter, out| {
        let call = &emitter.calls[call];
        let _ = write!(out, "{{\"tool_calls\":[{{\"index\":{}", call.position);
        write_member("id", &call.id, out);
        out.push_str(",\"type\":\"function\",\"function\":{\"name\":");
        write_string(&call.name, out);
        out.push_str(",\"arguments\":\"\"}}]}");
    });
}

pub(super) fn arguments(emitter: &mut Emitter, call: usize, arguments: &str) {
    chunk(emitter, "null", |emitter, out| {
        let position = emitter.calls[call].position;
        let _ = write!(out, "{{\"tool_calls\":[{{\"index\":{position},\"function\":{{\"arguments\":");
        write_string(arguments, out);
        out.push_str("}}]}");
    });
}

pub(super) fn finish(emitter: &mut Emitter, reason: &str, usage: Option<&str>, cost: Option<&str>) {
    let reason = match reason {
        "stop" | "length" | "content_filter" => reason,
        "tool_calls" if !emitter.runs_tools => reason,
        _ => "stop",
    };
    chunk(emitter, &format!("\"{reason}\""), |_, out| out.push_str("{}"));
    if let Some(usage) = usage {
        emitter.event(|emitter, out| {
            write_head(emitter, out);
            out.push_str(",\"choices\":[],\"usage\":");
            out.push_str(usage.strip_suffix('}').unwrap_or(usage));
            write_json("cost", cost, out);
            out.push_str("}}");
        });
    }
    emitter.event(|_, out| out.push_str("[DONE]"));
}

/// Without a finish reason and without `[DONE]`: a client must not take what came for a whole answer.
pub(super) fn error(emitter: &mut Emitter, message: &str, code: &str) {
    emitter.event(|_, out| {
        out.push_str("{\"error\":{\"message\":");
        write_string(message, out);
        out.push_str(",\"type\":\"server_error\",\"param\":null");
        write_member("code", code, out);
        out.push_str("}}");
    });
}

fn chunk(emitter: &mut Emitter, reason: &str, delta: impl FnOnce(&Emitter, &mut String)) {
    emitter.event(|emitter, out| {
        write_head(emitter, out);
        out.push_str(",\"choices\":[{\"index\":0,\"delta\":");
        delta(emitter, out);
        out.push_str(",\"logprobs\":null,\"finish_reason\":");
        out.push_str(reason);
        out.push_str("}]}");
    });
}

fn write_head(emitter: &Emitter, out: &mut String) {
    out.push_str("{\"id\":");
    write_string(&emitter.answer.id, out);
    let _ = write!(out, ",\"object\":\"chat.completion.chunk\",\"created\":{}", emitter.answer.created);
    write_member("model", &emitter.answer.model, out);
}
