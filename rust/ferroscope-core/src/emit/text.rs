//! The text alone: each event is a JSON string, and the end is a named event.

use super::{Emitter, Part, write_json};
use crate::json::write_string;

pub(super) fn piece(emitter: &mut Emitter, part: Part, text: &str) {
    if part == Part::Text {
        emitter.event(|_, out| write_string(text, out));
    }
}

pub(super) fn finish(emitter: &mut Emitter, reason: &str, usage: Option<&str>, cost: Option<&str>) {
    emitter.named_event("done", |_, out| {
        out.push_str("{\"finish_reason\":");
        write_string(reason, out);
        write_json("usage", usage, out);
        write_json("cost_usd", cost, out);
        out.push('}');
    });
}

pub(super) fn error(emitter: &mut Emitter, message: &str, code: &str) {
    emitter.named_event("error", |_, out| {
        out.push_str("{\"message\":");
        write_string(message, out);
        super::write_member("code", code, out);
        out.push('}');
    });
}

pub(super) fn abort(emitter: &mut Emitter) {
    emitter.named_event("abort", |_, out| out.push_str("{}"));
}
