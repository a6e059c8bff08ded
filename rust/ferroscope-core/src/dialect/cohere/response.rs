//! The folded response: the body that the server would have sent, and the message.

use super::State;
use super::block::Block;
use crate::dialect::{join, pieces_of};
use crate::json::{write_object, write_string};
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
        out.push_str("{\"id\":");
        write_string(&self.id, &mut out);
        if !self.model.is_empty() {
            out.push_str(",\"model\":");
            write_string(&self.model, &mut out);
        }
        out.push_str(",\"message\":");
        write_object(&mut out, |out| self.write_message(out));
        out.push_str(",\"finish_reason\":");
        match &self.finish_reason {
            Some(reason) => write_string(reason, &mut out),
            None => out.push_str("null"),
        }
        if let Some(usage) = &self.usage {
            out.push_str(",\"usage\":");
            out.push_str(&usage.text);
        }
        if !self.logprobs.is_empty() {
            out.push_str(",\"logprobs\":");
            self.logprobs.write(&mut out);
        }
        self.members.write_members(&mut out);
        out.push('}');
        out
    }

    /// Appends the members of the message, each preceded by a comma.
    fn write_message(&self, out: &mut String) {
        if self.message_members.raw("role").is_none() {
            out.push_str(",\"role\":\"assistant\"");
        }
        self.message_members.write_members(out);
        if !self.plan.text.value.is_empty() {
            out.push_str(",\"tool_plan\":");
            write_string(&self.plan.text.value, out);
        }
        if !self.calls.is_empty() {
            out.push_str(",\"tool_calls\":");
            write_list(&self.calls, out, Buffer::write);
        }
        if !self.blocks.is_empty() {
            out.push_str(",\"content\":");
            write_list(&self.blocks, out, Block::write);
        }
        if !self.citations.is_empty() {
            out.push_str(",\"citations\":");
            self.citations.write(out);
        }
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
            tool_calls: self.calls.iter().map(ToolCall::from).collect(),
            finish_reasons: self.finish_reasons().collect(),
            usage: self.usage(),
        }
    }

    /// Returns the thinking blocks and the tool plan, in the order of their first events.
    #[must_use]
    pub fn reasoning_pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = pieces_of(&self.blocks, Block::thinking);
        let at = pieces.partition_point(|&(block, _)| block < self.plan.after as u64);
        pieces.insert(at, (u64::MAX, &self.plan.text.value));
        pieces.retain(|(_, text)| !text.is_empty());
        pieces
    }

    /// Returns the pieces of the text.
    #[must_use]
    pub fn text_pieces(&self) -> Vec<Piece<'_>> {
        pieces_of(&self.blocks, Block::text)
    }

    /// Returns the provider's id of the response; empty until it arrives.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the name of the model; empty, because Cohere does not send it, unless a gateway does.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Returns the token counts as the provider reports them, as JSON text.
    #[must_use]
    pub fn usage(&self) -> Option<&str> {
        self.usage.as_ref().filter(|usage| !usage.empty).map(|usage| &*usage.text)
    }

    /// Returns the tool calls so far.
    #[must_use]
    pub fn tool_calls(&self) -> &[Buffer] {
        &self.calls
    }

    /// Returns the finish reason.
    pub fn finish_reasons(&self) -> impl Iterator<Item = &str> {
        self.finish_reason.as_deref().into_iter()
    }
}

fn write_list<T>(list: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push('[');
    for (position, element) in list.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(element, out);
    }
    out.push(']');
}
