//! The events that extend a string of an output item: their names, and the place of the string in the item.

use super::item::Item;
use crate::json::{Kind, Text, Value};
use crate::tree::{Node, Object};

/// A pair of events, `<name>.delta` and `<name>.done`, for one string of an item.
#[derive(Debug)]
pub(super) struct Growth {
    /// The name of the events, without `response.` and the last part.
    pub name: &'static str,
    /// The type of the items with the string.
    pub item: &'static str,
    /// The place of the string in the item.
    pub place: Place,
    /// The member of the `done` event with the complete string.
    pub whole: &'static str,
}

/// The place of a string in an item.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// A member of the item.
    Member(&'static str),
    /// A member of an object in the item.
    Nested(&'static str, &'static str),
    /// A member of a part, in a list of parts of this type.
    Part { list: List, kind: &'static str, member: &'static str },
    /// An element of a list of strings in an object in the item.
    Element(&'static str, &'static str),
    /// Members of an element of `output`; the delta is an object.
    Output,
}

/// A list of parts in an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Content,
    Summary,
}

impl List {
    pub fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Summary => "summary",
        }
    }

    /// Returns the member of an event with the position in the list.
    pub fn index(self) -> &'static str {
        match self {
            Self::Content => "content_index",
            Self::Summary => "summary_index",
        }
    }
}

/// All events that extend a string. `https://platform.openai.com/docs/api-reference/responses-streaming`
pub(super) const GROWTHS: [Growth; 11] = [
    part("output_text", "message", List::Content, "output_text", "text"),
    part("reasoning_summary_text", "reasoning", List::Summary, "summary_text", "text"),
    member("function_call_arguments", "function_call", "arguments"),
    part("reasoning_text", "reasoning", List::Content, "reasoning_text", "text"),
    part("refusal", "message", List::Content, "refusal", "refusal"),
    member("custom_tool_call_input", "custom_tool_call", "input"),
    member("mcp_call_arguments", "mcp_call", "arguments"),
    member("code_interpreter_call_code", "code_interpreter_call", "code"),
    Growth {
        name: "apply_patch_call_operation_diff",
        item: "apply_patch_call",
        place: Place::Nested("operation", "diff"),
        whole: "diff",
    },
    Growth {
        name: "shell_call_command",
        item: "shell_call",
        place: Place::Element("action", "commands"),
        whole: "command",
    },
    Growth {
        name: "shell_call_output_content",
        item: "shell_call_output",
        place: Place::Output,
        // Its `done` event has the list of all outputs, which the complete item has too.
        whole: "",
    },
];

const fn part(
    name: &'static str,
    item: &'static str,
    list: List,
    kind: &'static str,
    member: &'static str,
) -> Growth {
    Growth { name, item, place: Place::Part { list, kind, member }, whole: member }
}

const fn member(name: &'static str, item: &'static str, member: &'static str) -> Growth {
    Growth { name, item, place: Place::Member(member), whole: member }
}

/// The maximum number of list elements whose first event is missing.
const REACH: usize = 1024;

impl Place {
    /// Returns the member of an event with the position in a list, if there is a list.
    pub fn index(self) -> Option<&'static str> {
        match self {
            Self::Part { list, .. } => Some(list.index()),
            Self::Element(..) | Self::Output => Some("command_index"),
            Self::Member(_) | Self::Nested(..) => None,
        }
    }

    /// Returns the value at the place in an item. A missing value is created. `None` if the index is far beyond the
    /// list.
    pub fn find(self, item: &mut Object, index: usize) -> Option<&mut Node> {
        match self {
            Self::Member(name) => Some(item.entry(name)),
            Self::Nested(outer, name) => Some(item.entry(outer).object_mut()?.entry(name)),
            Self::Part { list, kind, member } => {
                let parts = item.entry(list.name()).elements_mut()?;
                let part = element(parts, index, || new_part(kind, member))?;
                Some(part.object_mut()?.entry(member))
            }
            Self::Element(outer, name) => {
                let elements = item.entry(outer).object_mut()?.entry(name).elements_mut()?;
                element(elements, index, || Node::Text(Text::default()))
            }
            Self::Output => {
                element(item.entry("output").elements_mut()?, index, || Node::Object(Object::default()))
            }
        }
    }
}

/// Returns the element at this position. Missing elements up to it are created.
pub(super) fn element(elements: &mut Vec<Node>, index: usize, new: impl Fn() -> Node) -> Option<&mut Node> {
    if index >= elements.len() + REACH {
        return None;
    }
    while elements.len() <= index {
        elements.push(new());
    }
    elements.get_mut(index)
}

/// A part without content.
fn new_part(kind: &str, member: &str) -> Node {
    let mut part = Object::default();
    set_text(&mut part, "type", kind);
    part.entry(member).text_mut();
    if kind == "output_text" {
        part.entry("annotations").elements_mut();
    }
    Node::Object(part)
}

pub(super) fn set_text(object: &mut Object, name: &str, value: &str) {
    if let Some(text) = object.entry(name).text_mut() {
        value.clone_into(&mut text.value);
    }
}

/// The delta of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    /// Text between the quotes of a JSON string.
    Quoted(&'a str),
    /// An object with a delta per member.
    Members(Value<'a>),
}

impl<'a> Piece<'a> {
    pub fn new(value: Value<'a>) -> Option<Self> {
        match value.kind() {
            Kind::Object => Some(Self::Members(value)),
            _ => value.quoted().map(Self::Quoted),
        }
    }
}

impl Item {
    /// Appends a delta to the string at its place. Returns the string, and the offset of the delta in it.
    pub fn grow(&mut self, growth: &Growth, index: usize, piece: Piece<'_>) -> Option<(&str, usize)> {
        let node = growth.place.find(&mut self.members, index)?;
        match piece {
            Piece::Quoted(quoted) => {
                let text = node.text_mut()?;
                let from = text.value.len();
                text.push(quoted);
                Some((&text.value, from))
            }
            Piece::Members(members) => {
                let object = node.object_mut()?;
                for (key, member) in members.members() {
                    object.join(&key.name(), member);
                }
                Some(("", 0))
            }
        }
    }
}
