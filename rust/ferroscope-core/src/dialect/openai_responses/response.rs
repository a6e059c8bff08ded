//! The folded response: the body that the server would have sent, and the message.

use super::State;
use super::item::Item;
use crate::dialect::join;
use crate::json::write_string;
use crate::message::{Message, ToolCall};
use crate::text_cursor::Piece;

/// The separator between the parts of a reasoning. Each part is a paragraph, usually with a heading.
const PARAGRAPH: &str = "\n\n";

impl State {
    /// Returns the `response` body so far as JSON text.
    #[must_use]
    pub fn response(&self) -> String {
        let mut out = String::with_capacity(self.received / 8 + 256);
        out.push_str("{\"id\":");
        write_string(&self.id, &mut out);
        out.push_str(",\"model\":");
        write_string(&self.model, &mut out);
        if self.members.raw("object").is_none() {
            out.push_str(",\"object\":\"response\"");
        }
        out.push_str(",\"output\":[");
        for (position, item) in self.in_order().into_iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            item.members.write(&mut out);
        }
        out.push(']');
        self.members.write_members(&mut out);
        out.push_str(",\"usage\":");
        out.push_str(self.usage().unwrap_or("null"));
        out.push('}');
        out
    }

    /// Returns the response so far as a message.
    #[must_use]
    pub fn message_so_far(&self) -> Message<'_> {
        let items = self.in_order();
        Message {
            id: &self.id,
            model: &self.model,
            text: join(&self.text_pieces()),
            reasoning: join(&self.reasoning_pieces()),
            refusal: items.iter().find_map(|item| item.refusal()),
            tool_calls: self.tool_calls().collect(),
            finish_reasons: self.finish_reasons().collect(),
            usage: self.usage(),
        }
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
        self.usage.as_deref()
    }

    /// Returns the `sequence_number` of the latest event with one, to resume the stream after it.
    #[must_use]
    pub fn sequence_number(&self) -> Option<u64> {
        self.sequence_number
    }

    /// Returns the calls of the caller's tools. Hosted and custom tools are only in the response.
    pub fn tool_calls(&self) -> impl Iterator<Item = ToolCall<'_>> {
        self.calls.iter().map(|&position| self.items[position].call())
    }

    /// Returns the tool call at this position.
    #[must_use]
    pub fn tool_call(&self, position: usize) -> Option<ToolCall<'_>> {
        self.calls.get(position).map(|&position| self.items[position].call())
    }

    /// Returns the positions of the calls that the end of the response cut off.
    #[must_use]
    pub fn cut_calls(&self) -> Vec<usize> {
        let cut = |&position: &usize| self.is_complete() && !self.items[position].delivered;
        self.calls.iter().enumerate().filter(|(_, item)| cut(item)).map(|(call, _)| call).collect()
    }

    /// Returns the finish reason: that of `incomplete_details`, or else the status.
    pub fn finish_reasons(&self) -> impl Iterator<Item = &str> {
        self.finish_reason.as_deref().into_iter()
    }

    /// Returns the pieces of the text.
    #[must_use]
    pub fn text_pieces(&self) -> Vec<Piece<'_>> {
        self.pieces(|item| item.content().collect())
    }

    /// Returns the pieces of the reasoning. Each summary is a paragraph.
    #[must_use]
    pub fn reasoning_pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = self.pieces(|item| item.reasoning().collect());
        pieces.retain(|(_, text)| !text.is_empty());
        for at in (1..pieces.len()).rev() {
            pieces.insert(at, (u64::MAX, PARAGRAPH));
        }
        pieces
    }

    fn pieces<'a>(&'a self, texts: impl Fn(&'a Item) -> Vec<&'a str>) -> Vec<Piece<'a>> {
        let mut items: Vec<(u64, _)> = (0..).zip(&self.items).collect();
        items.sort_by_key(|(_, item)| item.index);
        let numbered = |(position, item)| {
            (0..).zip(texts(item)).map(move |(part, text): (u64, _)| (position << 32 | part, text))
        };
        items.into_iter().flat_map(numbered).collect()
    }

    /// Returns how often a text may have been replaced by another version.
    #[must_use]
    pub fn rewrites(&self) -> u64 {
        self.rewrites
    }

    /// Returns the items in the order of the output.
    fn in_order(&self) -> Vec<&Item> {
        let mut items: Vec<_> = self.items.iter().collect();
        items.sort_by_key(|item| item.index);
        items
    }
}
