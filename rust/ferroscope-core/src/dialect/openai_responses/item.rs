//! The state of one item of a response's output.

use super::growth::{List, Place, set_text};
use crate::json::{Kind, Value};
use crate::message::ToolCall;
use crate::tree::{Node, Object};

/// The maximum depth of growing strings in an item: `content[].annotations[]`.
pub(super) const LEVELS: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Item {
    /// The `output_index` of the item.
    pub index: i64,
    pub members: Object,
    /// Whether the item is complete.
    pub done: bool,
    /// Whether the call has been emitted.
    pub delivered: bool,
}

impl Item {
    pub fn new(index: i64, value: Value<'_>) -> Self {
        let mut item = Self { index, members: Object::growing(value, LEVELS), ..Self::default() };
        if item.is_call()
            && let Some(arguments) = value.get("arguments").filter(|value| value.kind() == Kind::Object)
        {
            // Some servers send the arguments as JSON instead of a string of JSON.
            set_text(&mut item.members, "arguments", &arguments.normalized());
        }
        item
    }

    /// Returns an item whose `output_item.added` is missing.
    pub fn missing(index: i64, kind: &str, id: &str) -> Self {
        let mut item = Self { index, ..Self::default() };
        for (name, value) in [("id", id), ("type", kind), ("status", "in_progress")] {
            set_text(&mut item.members, name, value);
        }
        match kind {
            "message" => {
                set_text(&mut item.members, "role", "assistant");
                item.members.entry(List::Content.name()).elements_mut();
            }
            "reasoning" => {
                item.members.entry(List::Summary.name()).elements_mut();
            }
            _ => {}
        }
        item
    }

    fn text(&self, name: &str) -> &str {
        self.members.get(name).and_then(Node::as_text).unwrap_or_default()
    }

    pub fn id(&self) -> &str {
        self.text("id")
    }

    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// Returns whether the item calls one of the caller's tools.
    pub fn is_call(&self) -> bool {
        self.kind() == "function_call"
    }

    /// Returns whether the model was cut off in the item.
    pub fn is_incomplete(&self) -> bool {
        self.text("status") == "incomplete"
    }

    pub fn arguments(&self) -> &str {
        self.text("arguments")
    }

    pub fn call(&self) -> ToolCall<'_> {
        let id = self.members.get("call_id").and_then(Node::as_text);
        ToolCall { id: id.filter(|id| !id.is_empty()), name: self.text("name"), arguments: self.arguments() }
    }

    /// Returns the strings that are emitted while they grow: the texts of a message, or the arguments of a call.
    pub fn emitted(&self) -> Vec<&str> {
        if self.is_call() { vec![self.arguments()] } else { self.content().collect() }
    }

    /// Returns the lengths of those strings in an earlier version. If the two differ, returns the full length, because
    /// emitted text cannot be withdrawn.
    pub fn known_lengths(&self, old: &Self) -> Vec<usize> {
        let old = old.emitted().into_iter().chain(std::iter::repeat(""));
        let length = |(new, old): (&str, &str)| if new.starts_with(old) { old.len() } else { new.len() };
        self.emitted().into_iter().zip(old).map(length).collect()
    }

    /// Appends values to a list of a part of the content.
    pub fn append<'a>(
        &mut self,
        index: usize,
        name: &'static str,
        values: impl IntoIterator<Item = Value<'a>>,
    ) {
        let place = Place::Part { list: List::Content, kind: "output_text", member: name };
        if let Some(list) = place.find(&mut self.members, index).and_then(Node::elements_mut) {
            list.extend(values.into_iter().map(|value| Node::growing(value, 0)));
        }
    }

    /// Returns the parts of a list.
    fn parts(&self, list: List) -> &[Node] {
        match self.members.get(list.name()) {
            Some(Node::Array(parts)) => parts,
            _ => &[],
        }
    }

    /// Returns the text of the message.
    pub fn content(&self) -> impl Iterator<Item = &str> {
        let parts = if self.kind() == "message" { self.parts(List::Content) } else { &[] };
        parts.iter().filter_map(|part| text_of(part, "output_text", "text"))
    }

    /// Returns the summaries of the reasoning, or the reasoning itself if a server sends it.
    pub fn reasoning(&self) -> impl Iterator<Item = &str> {
        let kinds = if self.kind() == "reasoning" { [List::Summary, List::Content].as_slice() } else { &[] };
        kinds.iter().flat_map(|&list| self.parts(list)).filter_map(|part| {
            text_of(part, "summary_text", "text").or_else(|| text_of(part, "reasoning_text", "text"))
        })
    }

    pub fn refusal(&self) -> Option<&str> {
        self.parts(List::Content).iter().find_map(|part| text_of(part, "refusal", "refusal"))
    }
}

/// Returns the text of a part of this type.
pub(super) fn text_of<'a>(part: &'a Node, kind: &str, member: &str) -> Option<&'a str> {
    let Node::Object(part) = part else { return None };
    part.text("type").filter(|known| *known == kind)?;
    part.text(member)
}
