//! The folded response: the body that the server would have sent, and the message.

use super::State;
use super::candidate::{Candidate, Part, TextPart};
use crate::dialect::{join, pieces_of};
use crate::json::write_string;
use crate::message::{Message, ToolCall};
use crate::text_cursor::Piece;
use crate::tool_call::Buffer;
use crate::tree::Object;

impl State {
    /// Returns the `GenerateContentResponse` so far as JSON text.
    #[must_use]
    pub fn response(&self) -> String {
        let mut out = String::with_capacity(self.received / 4 + 256);
        if self.candidates.is_some() {
            out.push_str(",\"candidates\":");
            write_list(self.in_order(), &mut out, |candidate, out| candidate.write(out));
        }
        self.members.write_members(&mut out);
        if let Some(usage) = self.usage() {
            out.push_str(",\"usageMetadata\":");
            out.push_str(usage);
        }
        for (name, text) in [("modelVersion", &self.model), ("responseId", &self.id)] {
            if !text.is_empty() {
                write_name(name, &mut out);
                write_string(text, &mut out);
            }
        }
        close_object(0, &mut out);
        out
    }

    /// Returns the response so far as a message.
    #[must_use]
    pub fn message_so_far(&self) -> Message<'_> {
        Message {
            id: &self.id,
            model: &self.model,
            text: join(&self.text_pieces()),
            reasoning: join(&self.reasoning_pieces()),
            refusal: None,
            tool_calls: self.tool_calls().map(ToolCall::from).collect(),
            finish_reasons: self.finish_reasons().collect(),
            usage: self.usage(),
        }
    }

    /// Returns the pieces of the text.
    #[must_use]
    pub fn text_pieces(&self) -> Vec<Piece<'_>> {
        pieces(self.first(), |part| !part.is_thought)
    }

    /// Returns the pieces of the reasoning.
    #[must_use]
    pub fn reasoning_pieces(&self) -> Vec<Piece<'_>> {
        pieces(self.first(), |part| part.is_thought)
    }

    /// Returns the provider's id of the response; empty until it arrives.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the version of the model; empty until it arrives.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns the last `usageMetadata` as JSON text.
    #[must_use]
    pub fn usage(&self) -> Option<&str> {
        self.usage.as_deref()
    }

    /// Returns the function calls of the first candidate.
    pub fn tool_calls(&self) -> impl Iterator<Item = &Buffer> {
        let calls = self.first().map_or(0, |candidate| candidate.calls.len());
        (0..calls).filter_map(|call| self.tool_call(call))
    }

    /// Returns the function call at this position.
    #[must_use]
    pub fn tool_call(&self, position: usize) -> Option<&Buffer> {
        self.first()?.call_at(position).map(|call| &call.buffer)
    }

    /// Returns the finish reasons of the candidates, in their order, or else the reason why the prompt was blocked.
    pub fn finish_reasons(&self) -> impl Iterator<Item = &str> {
        let ended = || self.in_order().into_iter().filter_map(|candidate| candidate.finish_reason.as_deref());
        let blocked = self.block_reason.as_deref().filter(|_| ended().next().is_none());
        ended().chain(blocked)
    }

    fn first(&self) -> Option<&Candidate> {
        self.candidates.iter().flatten().find(|candidate| candidate.is_first())
    }

    fn in_order(&self) -> Vec<&Candidate> {
        let mut candidates: Vec<_> = self.candidates.iter().flatten().collect();
        candidates.sort_by_key(|candidate| candidate.index);
        candidates
    }
}

/// Returns the texts of some parts.
fn pieces(candidate: Option<&Candidate>, is_wanted: impl Fn(&TextPart) -> bool) -> Vec<Piece<'_>> {
    pieces_of(candidate.iter().flat_map(|candidate| candidate.parts.iter().flatten()), |part| match part {
        Part::Text(part) if is_wanted(part) => Some(&part.text.value),
        _ => None,
    })
}

impl Candidate {
    fn write(&self, out: &mut String) {
        let start = out.len();
        if let Some(content) = &self.content {
            out.push_str(",\"content\":");
            let start = out.len();
            if let Some(parts) = &self.parts {
                out.push_str(",\"parts\":");
                write_list(parts, out, |part, out| part.write(out));
            }
            content.write_members(out);
            close_object(start, out);
        }
        self.members.write_members(out);
        close_object(start, out);
    }
}

impl Part {
    fn write(&self, out: &mut String) {
        let (name, members): (_, &Object) = match self {
            Self::Other(part) => return out.push_str(part),
            Self::Text(part) => ("text", &part.members),
            Self::Call(call) => ("functionCall", call.part_members()),
        };
        let start = out.len();
        write_name(name, out);
        match self {
            Self::Text(part) => write_string(&part.text.value, out),
            Self::Call(call) => call.write(out),
            Self::Other(_) => {}
        }
        members.write_members(out);
        close_object(start, out);
    }
}

fn write_name(name: &str, out: &mut String) {
    out.push(',');
    write_string(name, out);
    out.push(':');
}

/// Adds the brackets around members that each begin with a comma.
fn close_object(start: usize, out: &mut String) {
    if out.len() == start {
        out.push('{');
    } else {
        out.replace_range(start..=start, "{");
    }
    out.push('}');
}

fn write_list<T>(elements: impl IntoIterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    out.push('[');
    for (position, element) in elements.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(element, out);
    }
    out.push(']');
}
