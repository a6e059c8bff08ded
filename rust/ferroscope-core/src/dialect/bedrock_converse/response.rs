//! The folded response: the body that the server would have sent, and the message.

use super::State;
use super::block::{Block, Body, Other, Reasoning};
use crate::dialect::{join, join_base64, pieces_of, write_input};
use crate::json::{Tape, write_object, write_string};
use crate::message::{Message, ToolCall};
use crate::text_cursor::Piece;
use crate::tool_call::Buffer;

impl State {
    /// Returns the response body so far as JSON text.
    #[must_use]
    pub fn response(&self) -> String {
        if let Some(whole) = &self.whole {
            return whole.to_string();
        }
        let mut out = String::with_capacity(self.received / 4 + 256);
        out.push_str("{\"output\":{\"message\":");
        write_object(&mut out, |out| self.write_message(out));
        out.push_str("},\"stopReason\":");
        match &self.stop_reason {
            Some(reason) => write_string(reason, &mut out),
            None => out.push_str("null"),
        }
        if let Some(usage) = &self.usage {
            out.push_str(",\"usage\":");
            out.push_str(usage);
        }
        self.members.write_members(&mut out);
        out.push('}');
        out
    }

    /// Appends the members of the message, each preceded by a comma.
    fn write_message(&self, out: &mut String) {
        if self.message.raw("role").is_none() {
            out.push_str(",\"role\":\"assistant\"");
        }
        self.message.write_members(out);
        out.push_str(",\"content\":[");
        let mut tape = Tape::default();
        let begun = self.blocks.iter().filter(|block| !matches!(block.body, Body::Empty));
        for (position, block) in begun.enumerate() {
            if position > 0 {
                out.push(',');
            }
            block.write(&mut tape, self.limits.depth, out);
        }
        out.push(']');
    }

    /// Returns the response so far as a message.
    #[must_use]
    pub fn message_so_far(&self) -> Message<'_> {
        Message {
            id: self.id(),
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
        pieces_of(&self.blocks, Block::reasoning)
    }

    /// Returns an empty string, because the id of the request is in a header of the response.
    #[must_use]
    pub fn id(&self) -> &str {
        ""
    }

    /// Returns the model that a prompt router chose; empty without one.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns the token counts as the provider reports them, as JSON text.
    #[must_use]
    pub fn usage(&self) -> Option<&str> {
        self.usage.as_deref()
    }

    /// Returns the calls of the caller's tools. Calls that the service runs are only in the response.
    pub fn tool_calls(&self) -> impl Iterator<Item = &Buffer> {
        self.calls.iter().filter_map(|&block| self.input(block))
    }

    /// Returns the tool call at this position.
    #[must_use]
    pub fn tool_call(&self, position: usize) -> Option<&Buffer> {
        self.calls.get(position).and_then(|&block| self.input(block))
    }

    fn input(&self, block: usize) -> Option<&Buffer> {
        match &self.blocks.get(block)?.body {
            Body::Tool { input, .. } => Some(input),
            _ => None,
        }
    }

    /// Returns the stop reason.
    pub fn finish_reasons(&self) -> impl Iterator<Item = &str> {
        self.stop_reason.as_deref().into_iter()
    }
}

impl Block {
    fn text(&self) -> Option<&str> {
        if let Body::Text { text: Some(text), .. } = &self.body { Some(&text.value) } else { None }
    }

    fn reasoning(&self) -> Option<&str> {
        match &self.body {
            Body::Reasoning(reasoning) => reasoning.text.as_ref().map(|text| text.value.as_str()),
            _ => None,
        }
    }

    /// Appends the block as JSON: an object with the content as its only member, or an empty one.
    fn write(&self, tape: &mut Tape, depth: usize, out: &mut String) {
        write_object(out, |out| match &self.body {
            Body::Empty => {}
            Body::Text { text, citations } if citations.is_empty() => {
                out.push_str(",\"text\":");
                write_string(text.as_ref().map_or("", |text| &text.value), out);
            }
            Body::Text { text, citations } => {
                out.push_str(",\"citationsContent\":");
                write_object(out, |out| {
                    if let Some(text) = text {
                        out.push_str(",\"content\":[{\"text\":");
                        write_string(&text.value, out);
                        out.push_str("}]");
                    }
                    out.push_str(",\"citations\":");
                    citations.write(out);
                });
            }
            Body::Reasoning(reasoning) => {
                out.push_str(",\"reasoningContent\":");
                write_object(out, |out| reasoning.write_members(out));
            }
            Body::Tool { input, .. } => {
                out.push_str(",\"toolUse\":{\"toolUseId\":");
                write_string(input.id.as_deref().unwrap_or_default(), out);
                out.push_str(",\"name\":");
                write_string(&input.name, out);
                out.push_str(",\"input\":");
                write_input(&input.arguments.value, "{}", tape, depth, out);
                input.extra.write_members(out);
                out.push('}');
            }
            Body::Other(other) => {
                out.push(',');
                write_string(&other.name, out);
                out.push(':');
                write_object(out, |out| other.write_members(out));
            }
        });
    }
}

impl Reasoning {
    fn write_members(&self, out: &mut String) {
        if self.text.is_some() || !self.signature.value.is_empty() {
            out.push_str(",\"reasoningText\":{\"text\":");
            write_string(self.text.as_ref().map_or("", |text| &text.value), out);
            if !self.signature.value.is_empty() {
                out.push_str(",\"signature\":");
                write_string(&self.signature.value, out);
            }
            out.push('}');
        }
        if !self.redacted.is_empty() {
            out.push_str(",\"redactedContent\":");
            write_string(&join_base64(&self.redacted), out);
        }
        self.members.write_members(out);
    }
}

impl Other {
    fn write_members(&self, out: &mut String) {
        self.members.write_members(out);
        if !self.content.is_empty() {
            out.push_str(",\"content\":");
            self.content.write(out);
        }
        if !self.source.is_empty() || !self.bytes.is_empty() {
            out.push_str(",\"source\":");
            write_object(out, |out| {
                self.source.write_members(out);
                if !self.bytes.is_empty() {
                    out.push_str(",\"bytes\":");
                    write_string(&join_base64(&self.bytes), out);
                }
            });
        }
    }
}
