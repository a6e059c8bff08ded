//! The folded response: the body that the server would have sent, and the message.

use super::State;
use super::block::{Block, Body, Citations};
use crate::dialect::{join, pieces_of, write_input};
use crate::json::{Tape, write_object, write_string};
use crate::message::{Message, ToolCall};
use crate::text_cursor::Piece;
use crate::tool_call::Buffer;

impl State {
    /// Returns the `message` body so far as JSON text.
    #[must_use]
    pub fn response(&self) -> String {
        let mut out = String::with_capacity(self.received / 4 + 256);
        out.push_str("{\"id\":");
        write_string(&self.id, &mut out);
        out.push_str(",\"model\":");
        write_string(&self.model, &mut out);
        for (name, usual) in [("type", "\"message\""), ("role", "\"assistant\"")] {
            if self.members.raw(name).is_none() {
                out.push_str(",\"");
                out.push_str(name);
                out.push_str("\":");
                out.push_str(usual);
            }
        }
        out.push_str(",\"content\":[");
        let mut tape = Tape::default();
        for (position, block) in self.blocks.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            block.write(&mut tape, self.limits.depth, &mut out);
        }
        out.push(']');
        self.members.write_members(&mut out);
        if let Some(usage) = self.usage() {
            out.push_str(",\"usage\":");
            out.push_str(usage);
        }
        out.push('}');
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
        pieces_of(&self.blocks, Block::text)
    }

    /// Returns the pieces of the reasoning.
    #[must_use]
    pub fn reasoning_pieces(&self) -> Vec<Piece<'_>> {
        pieces_of(&self.blocks, Block::thinking)
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
        self.usage_text.as_deref()
    }

    /// Returns the contradiction between the counts of different events; `None` if there is none.
    #[must_use]
    pub fn usage_contradiction(&self) -> Option<&str> {
        self.usage_contradiction.as_deref()
    }

    /// Returns the calls of the caller's tools. Calls that the server runs are only in the response.
    pub fn tool_calls(&self) -> impl Iterator<Item = &Buffer> {
        self.calls.iter().filter_map(|&block| self.input(block))
    }

    /// Returns the tool call at this position.
    #[must_use]
    pub fn tool_call(&self, position: usize) -> Option<&Buffer> {
        self.calls.get(position).and_then(|&block| self.input(block))
    }

    /// Returns the stop reason.
    pub fn finish_reasons(&self) -> impl Iterator<Item = &str> {
        self.stop_reason.as_deref().into_iter()
    }
}

impl Block {
    fn text(&self) -> Option<&str> {
        if let Body::Text(text) = &self.body { Some(&text.value) } else { None }
    }

    fn thinking(&self) -> Option<&str> {
        if let Body::Thinking(text) = &self.body { Some(&text.value) } else { None }
    }

    fn write(&self, tape: &mut Tape, depth: usize, out: &mut String) {
        if let Body::Raw(text) = &self.body {
            out.push_str(text);
            return;
        }
        write_object(out, |out| {
            if let Some(kind) = &self.kind {
                out.push_str(",\"type\":");
                out.push_str(kind);
            }
            match &self.body {
                Body::Text(text) => {
                    out.push_str(",\"text\":");
                    write_string(&text.value, out);
                }
                Body::Thinking(text) => {
                    out.push_str(",\"thinking\":");
                    write_string(&text.value, out);
                }
                Body::Tool { input, given, .. } => {
                    out.push_str(",\"input\":");
                    write_input(&input.arguments.value, given, tape, depth, out);
                }
                Body::Other | Body::Raw(_) => {}
            }
            self.members.write_members(out);
            match &self.citations {
                Citations::Absent => {}
                Citations::Null => out.push_str(",\"citations\":null"),
                Citations::List(list) => {
                    out.push_str(",\"citations\":");
                    list.write(out);
                }
            }
        });
    }
}
