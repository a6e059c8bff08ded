//! The folded response: the body that the server would have sent, and the message.

use super::State;
use super::choice::{Audio, Choice, Content, Part};
use crate::dialect::{join, join_base64, pieces_of};
use crate::json::write_string;
use crate::message::{Message, ToolCall};
use crate::text_cursor::Piece;
use crate::tool_call::Buffer;
use crate::tree::{List, Object};

impl State {
    /// Returns the `chat.completion` body so far as JSON text.
    #[must_use]
    pub fn response(&self) -> String {
        let mut out = String::with_capacity(self.received / 8 + 256);
        out.push_str("{\"id\":");
        write_string(&self.id, &mut out);
        out.push_str(",\"object\":\"chat.completion\",\"created\":");
        out.push_str(self.created.as_deref().unwrap_or("0"));
        out.push_str(",\"model\":");
        write_string(&self.model, &mut out);
        out.push_str(",\"choices\":[");
        for (position, choice) in self.in_order().into_iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            choice.write(&mut out);
        }
        out.push_str("],\"usage\":");
        out.push_str(self.usage().unwrap_or("null"));
        self.extra.write_members(&mut out);
        out.push('}');
        out
    }

    /// Returns the response so far as a message.
    #[must_use]
    pub fn message_so_far(&self) -> Message<'_> {
        let first = self.first();
        Message {
            id: &self.id,
            model: &self.model,
            text: join(&self.text_pieces()),
            reasoning: join(&self.reasoning_pieces()),
            refusal: first.and_then(|choice| choice.refusal.as_ref()).map(|text| text.value.as_str()),
            tool_calls: self.tool_calls().iter().map(ToolCall::from).collect(),
            finish_reasons: self.finish_reasons().collect(),
            usage: self.usage(),
        }
    }

    fn first(&self) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.is_first())
    }

    /// Returns the pieces of the text.
    #[must_use]
    pub fn text_pieces(&self) -> Vec<Piece<'_>> {
        self.first().map(Choice::text_pieces).unwrap_or_default()
    }

    /// Returns the pieces of the reasoning.
    #[must_use]
    pub fn reasoning_pieces(&self) -> Vec<Piece<'_>> {
        self.first().map(|choice| choice.reasoning_pieces(&self.quirks.reasoning)).unwrap_or_default()
    }

    /// Returns how often a value other than a string arrived in a reasoning field.
    #[must_use]
    pub fn rewrites(&self) -> u64 {
        self.rewrites
    }

    /// Returns the provider's id of the response; empty until it arrives.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name of the model; empty until it arrives.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns the provider's usage object as JSON text.
    #[must_use]
    pub fn usage(&self) -> Option<&str> {
        self.usage.as_deref().or(self.other_usage.as_deref())
    }

    /// Returns the tool calls of the first choice.
    #[must_use]
    pub fn tool_calls(&self) -> &[Buffer] {
        self.choices.iter().find(|choice| choice.is_first()).map_or(&[], |choice| choice.calls.buffers())
    }

    /// Returns the finish reasons of the choices, in their order.
    pub fn finish_reasons(&self) -> impl Iterator<Item = &str> {
        self.in_order().into_iter().filter_map(|choice| choice.finish_reason.as_deref())
    }

    fn in_order(&self) -> Vec<&Choice> {
        let mut choices: Vec<_> = self.choices.iter().collect();
        choices.sort_by_key(|choice| choice.index);
        choices
    }
}

impl Choice {
    fn text_pieces(&self) -> Vec<Piece<'_>> {
        match &self.content {
            Content::Null => Vec::new(),
            Content::Text(text) => vec![(0, &text.value)],
            Content::Parts(parts) => pieces_of(parts, Part::text),
        }
    }

    fn reasoning_pieces(&self, fields: &[String]) -> Vec<Piece<'_>> {
        if let Content::Parts(parts) = &self.content {
            let mut thoughts = Vec::new();
            for (position, part) in (0..).zip(parts) {
                if let Part::Thinking(parts, _) = part {
                    let inside = pieces_of(parts, Part::text);
                    thoughts.extend(inside.into_iter().map(|(key, text)| (position << 32 | key, text)));
                }
            }
            if thoughts.iter().any(|(_, text)| !text.is_empty()) {
                return thoughts;
            }
        }
        let known = |field: &String| self.message_extra.text(field).filter(|text| !text.is_empty());
        // Counted from the end, so that a field has another key than a part.
        (0..)
            .zip(fields)
            .find_map(|(rank, field)| Some(vec![(u64::MAX - rank, known(field)?)]))
            .unwrap_or_default()
    }

    fn write(&self, out: &mut String) {
        out.push_str("{\"index\":");
        out.push_str(&self.index.to_string());
        out.push_str(",\"message\":{\"role\":");
        write_string(self.role.as_deref().unwrap_or("assistant"), out);
        out.push_str(",\"content\":");
        self.content.write(out);
        if let Some(refusal) = &self.refusal {
            out.push_str(",\"refusal\":");
            write_string(&refusal.value, out);
        }
        if !self.calls.buffers().is_empty() {
            out.push_str(",\"tool_calls\":[");
            for (position, call) in self.calls.buffers().iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                call.write(out);
            }
            out.push(']');
        }
        if let Some(call) = &self.function_call {
            out.push_str(",\"function_call\":{\"name\":");
            write_string(&call.name, out);
            out.push_str(",\"arguments\":");
            write_string(&call.arguments.value, out);
            out.push('}');
        }
        self.audio.write(out);
        self.message_extra.write_members(out);
        out.push('}');
        if let Some(other) = self.logprobs.as_ref().and_then(|logprobs| logprobs.other.as_deref()) {
            out.push_str(",\"logprobs\":");
            out.push_str(other);
        } else if let Some(logprobs) = &self.logprobs {
            out.push_str(",\"logprobs\":{\"content\":");
            write_list(logprobs.content.as_ref(), out);
            out.push_str(",\"refusal\":");
            write_list(logprobs.refusal.as_ref(), out);
            logprobs.extra.write_members(out);
            out.push('}');
        }
        out.push_str(",\"finish_reason\":");
        match &self.finish_reason {
            Some(reason) => write_string(reason, out),
            None => out.push_str("null"),
        }
        self.extra.write_members(out);
        out.push('}');
    }
}

impl Content {
    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Text(text) => write_string(&text.value, out),
            Self::Parts(parts) => write_parts(parts, out),
        }
    }
}

impl Part {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text, _) = self { Some(&text.value) } else { None }
    }
}

fn write_parts(parts: &[Part], out: &mut String) {
    out.push('[');
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        match part {
            Part::Text(text, extra) => {
                out.push_str("{\"type\":\"text\",\"text\":");
                write_string(&text.value, out);
                extra.write_members(out);
                out.push('}');
            }
            Part::Thinking(thoughts, extra) => {
                out.push_str("{\"type\":\"thinking\",\"thinking\":");
                write_parts(thoughts, out);
                extra.write_members(out);
                out.push('}');
            }
            Part::Other(raw) => out.push_str(raw),
        }
    }
    out.push(']');
}

impl Audio {
    fn write(&self, out: &mut String) {
        if self.data.is_empty() && self.extra.is_empty() {
            return;
        }
        out.push_str(",\"audio\":");
        let mut audio = Object::default();
        audio.clone_from(&self.extra);
        let start = out.len();
        audio.write(out);
        if !self.data.is_empty() {
            let mut member = String::from("\"data\":");
            write_string(&join_base64(&self.data), &mut member);
            if !self.extra.is_empty() {
                member.push(',');
            }
            out.insert_str(start + 1, &member);
        }
    }
}

fn write_list(list: Option<&List>, out: &mut String) {
    match list {
        Some(list) => list.write(out),
        None => out.push_str("null"),
    }
}
