//! JSON values that grow: unknown members of a response, merged as they arrive.

use crate::json::{self, Kind, Value};
use std::collections::HashMap;

/// A JSON value that later pieces of a stream may extend.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A value as received, as JSON text.
    Raw(Box<str>),
    /// A string that grows.
    Text(json::Text),
    /// An object whose members are merged.
    Object(Object),
    /// An array whose elements are merged by their `index`.
    Array(Vec<Node>),
}

/// The rule for merging a value with an earlier one of the same name. Objects are always merged member by member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The last value that is not null wins.
    Latest,
    /// Lists grow. Elements with an `index` are merged by it. Inside them, the strings named in `GROWING` are joined.
    Grow,
    /// Findings are never removed. Of two values of a `SCALE`, the higher wins. Lists grow by new elements; elements
    /// with
    /// the same `NAMED` member are merged.
    Found,
    /// Lists are appended. A list that begins with the earlier list replaces it.
    Extend,
}

/// The scale of findings, as JSON text: `true` is higher than `false`, and so on.
const SCALE: [&str; 6] = ["false", "true", "\"safe\"", "\"low\"", "\"medium\"", "\"high\""];

/// The members that identify the elements of a list of findings.
const NAMED: [&str; 2] = ["prompt_index", "id"];

/// The strings that are joined inside growing lists (`reasoning_details`).
const GROWING: [&str; 3] = ["text", "summary", "data"];

/// An object with more members than this has an index of them.
const FEW: usize = 32;

/// The number of latest elements among which an element of a growing list finds the one that it continues.
const REACH: usize = 1024;

/// The members of an object, in the order of their first arrival.
#[derive(Debug, Clone, Default)]
pub struct Object {
    members: Vec<(Box<str>, Node)>,
    /// Positions by name, if there are many members.
    index: HashMap<Box<str>, usize>,
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.members == other.members
    }
}

impl Node {
    fn new(value: Value<'_>, merge: Merge) -> Self {
        match value.kind() {
            Kind::Object => {
                let mut object = Object::default();
                object.merge_members(value, merge);
                Self::Object(object)
            }
            Kind::Array if merge == Merge::Grow => {
                let mut elements = Vec::new();
                merge_elements(&mut elements, value);
                Self::Array(elements)
            }
            Kind::Array if merge == Merge::Found => {
                let mut elements = Vec::new();
                merge_findings(&mut elements, value);
                Self::Array(elements)
            }
            Kind::Array if merge == Merge::Extend => Self::Array(elements_as_they_came(value)),
            _ => Self::Raw(value.normalized().into()),
        }
    }

    /// Creates a value whose strings can grow, down to `levels` of nesting. Deeper values stay as received.
    #[must_use]
    pub fn growing(value: Value<'_>, levels: usize) -> Self {
        match (value.kind(), levels.checked_sub(1)) {
            (Kind::Object, Some(levels)) => Self::Object(Object::growing(value, levels)),
            (Kind::Array, Some(levels)) => {
                Self::Array(value.elements().map(|element| Self::growing(element, levels)).collect())
            }
            _ => match value.quoted() {
                Some(quoted) => Self::Text(growing_text(quoted)),
                None => Self::Raw(value.normalized().into()),
            },
        }
    }

    /// Returns the growing string. Replaces any other value by an empty string first; never `None`.
    pub fn text_mut(&mut self) -> Option<&mut json::Text> {
        if !matches!(self, Self::Text(_)) {
            *self = Self::Text(json::Text::default());
        }
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the object. Replaces any other value by an empty object first; never `None`.
    pub fn object_mut(&mut self) -> Option<&mut Object> {
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Object::default());
        }
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// Returns the elements of the array. Replaces any other value by an empty array first; never `None`.
    pub fn elements_mut(&mut self) -> Option<&mut Vec<Self>> {
        if !matches!(self, Self::Array(_)) {
            *self = Self::Array(Vec::new());
        }
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// Returns the string, if the value is one that can grow.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(&text.value) } else { None }
    }

    fn merge(&mut self, value: Value<'_>, merge: Merge) {
        match (&mut *self, value.kind()) {
            (_, Kind::Null) => {}
            (Self::Object(object), Kind::Object) => object.merge_members(value, merge),
            (Self::Array(elements), Kind::Array) if merge == Merge::Grow => merge_elements(elements, value),
            (Self::Array(elements), Kind::Array) if merge == Merge::Found => merge_findings(elements, value),
            (Self::Array(elements), Kind::Array) if merge == Merge::Extend => {
                let given = elements_as_they_came(value);
                if given.starts_with(elements) {
                    *elements = given;
                } else {
                    elements.extend(given);
                }
            }
            (Self::Raw(known), _) if merge == Merge::Found && is_more(known, value.raw()) => {}
            (Self::Text(text), Kind::Plain | Kind::Escaped) => text.push(value.quoted().unwrap_or_default()),
            _ => *self = Self::new(value, merge),
        }
    }

    fn finish(&mut self) {
        match self {
            Self::Raw(_) => {}
            Self::Text(text) => text.finish(),
            Self::Object(object) => object.finish(),
            Self::Array(elements) => elements.iter_mut().for_each(Self::finish),
        }
    }

    /// Appends the value as JSON.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Raw(text) => out.push_str(text),
            Self::Text(text) => json::write_string(&text.value, out),
            Self::Object(object) => object.write(out),
            Self::Array(elements) => {
                out.push('[');
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
        }
    }
}

fn growing_text(quoted: &str) -> json::Text {
    let mut text = json::Text::default();
    text.push(quoted);
    text
}

fn elements_as_they_came(list: Value<'_>) -> Vec<Node> {
    list.elements().map(|element| Node::Raw(element.normalized().into())).collect()
}

/// Adds elements. An element with the `index` and `type` of an earlier one continues it; others are new.
fn merge_elements(elements: &mut Vec<Node>, value: Value<'_>) {
    for element in value.elements() {
        let slot = element.get("index").filter(|index| index.kind() == Kind::Number).and_then(|index| {
            let kind = element.get("type").filter(|kind| !kind.is_null());
            let beyond = elements.len().saturating_sub(REACH);
            let found = elements[beyond..].iter().rposition(|known| match known {
                Node::Object(object) => {
                    object.raw("index") == Some(index.raw())
                        && kind.is_none_or(|kind| object.raw("type").is_none_or(|known| known == kind.raw()))
                }
                _ => false,
            });
            found.map(|found| beyond + found)
        });
        match (slot.map(|slot| &mut elements[slot]), element.kind()) {
            (Some(Node::Object(object)), _) => object.grow_members(element),
            (_, Kind::Object) => {
                let mut object = Object::default();
                object.grow_members(element);
                elements.push(Node::Object(object));
            }
            _ => elements.push(Node::Raw(element.normalized().into())),
        }
    }
}

/// Adds the elements of a list of findings. An element that is named like an earlier one is merged with it; others are
/// added once.
fn merge_findings(elements: &mut Vec<Node>, value: Value<'_>) {
    for element in value.elements() {
        let beyond = elements.len().saturating_sub(REACH);
        let named = NAMED.iter().find_map(|name| element.get(name).map(|given| (*name, given.raw())));
        let known = elements[beyond..].iter_mut().rev().find_map(|known| match known {
            Node::Object(object) if named.is_some_and(|(name, given)| object.raw(name) == Some(given)) => {
                Some(object)
            }
            _ => None,
        });
        if let Some(object) = known {
            object.merge_members(element, Merge::Found);
            continue;
        }
        let new = Node::new(element, Merge::Found);
        if !elements[beyond..].contains(&new) {
            elements.push(new);
        }
    }
}

/// Returns whether the earlier finding is higher.
fn is_more(known: &str, given: &str) -> bool {
    let place = |found: &str| SCALE.iter().position(|&step| step == found);
    matches!((place(known), place(given)), (Some(known), Some(given)) if known > given)
}

/// The elements of an array that grows at its end, each as received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// The elements as JSON text, separated by commas.
    elements: String,
}

impl List {
    /// Returns whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Appends an element.
    pub fn push(&mut self, element: Value<'_>) {
        if !self.is_empty() {
            self.elements.push(',');
        }
        self.elements.push_str(&element.normalized());
    }

    /// Appends the elements of an array, or any other value as one element.
    pub fn extend(&mut self, value: Value<'_>) {
        match value.kind() {
            Kind::Array => value.elements().for_each(|element| self.push(element)),
            _ => self.push(value),
        }
    }

    /// Appends the array as JSON.
    pub fn write(&self, out: &mut String) {
        out.push('[');
        out.push_str(&self.elements);
        out.push(']');
    }
}

impl Object {
    /// Creates an object whose strings can grow, including those in its members down to `levels` of nesting.
    #[must_use]
    pub fn growing(value: Value<'_>, levels: usize) -> Self {
        let mut object = Self::default();
        for (key, member) in value.members() {
            object.members.push((key.name().into(), Node::growing(member, levels)));
        }
        object
    }

    /// Returns the member with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members.iter().find(|(known, _)| **known == *name).map(|(_, node)| node)
    }

    /// Returns the member with this name, to modify it. A new member is null.
    pub fn entry(&mut self, name: &str) -> &mut Node {
        let position = self.position(name).unwrap_or_else(|| {
            self.members.push((name.into(), Node::Raw("null".into())));
            self.members.len() - 1
        });
        &mut self.members[position].1
    }

    /// Returns whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Merges one member.
    pub fn merge(&mut self, name: &str, value: Value<'_>, merge: Merge) {
        match self.get_mut(name) {
            Some(node) => node.merge(value, merge),
            None => self.members.push((name.into(), Node::new(value, merge))),
        }
    }

    /// Returns the member with this name, if there is one.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.position(name).map(|position| &mut self.members[position].1)
    }

    /// Sets one member, replacing any earlier value.
    pub fn set(&mut self, name: &str, value: Value<'_>) {
        let node = Node::Raw(value.normalized().into());
        match self.get_mut(name) {
            Some(known) => *known = node,
            None => self.members.push((name.into(), node)),
        }
    }

    /// Sets one member, but does not replace an existing value by null.
    pub fn set_given(&mut self, name: &str, value: Value<'_>) {
        if !value.is_null() || self.get_mut(name).is_none() {
            self.set(name, value);
        }
    }

    /// Appends to one member that is a growing string. A value that is not a string replaces it.
    pub fn join(&mut self, name: &str, value: Value<'_>) {
        match (self.get_mut(name), value.quoted()) {
            (Some(Node::Text(text)), Some(quoted)) => text.push(quoted),
            (_, None) => self.merge(name, value, Merge::Latest),
            (known, Some(quoted)) => {
                let text = growing_text(quoted);
                match known {
                    Some(node) => *node = Node::Text(text),
                    None => self.members.push((name.into(), Node::Text(text))),
                }
            }
        }
    }

    fn merge_members(&mut self, value: Value<'_>, merge: Merge) {
        for (key, member) in value.members() {
            self.merge(&key.name(), member, merge);
        }
    }

    /// Merges the members of an element of a growing list.
    fn grow_members(&mut self, value: Value<'_>) {
        for (key, member) in value.members() {
            let name = key.name();
            if GROWING.contains(&&*name) {
                self.join(&name, member);
            } else {
                self.merge(&name, member, Merge::Grow);
            }
        }
    }

    fn position(&mut self, name: &str) -> Option<usize> {
        if self.members.len() <= FEW {
            return self.members.iter().position(|(known, _)| **known == *name);
        }
        for (position, (known, _)) in self.members.iter().enumerate().skip(self.index.len()) {
            self.index.insert(known.clone(), position);
        }
        self.index.get(name).copied()
    }

    /// Ends every growing string. Half of a surrogate pair at its end becomes U+FFFD.
    pub fn finish(&mut self) {
        self.members.iter_mut().for_each(|(_, node)| node.finish());
    }

    /// Returns a growing string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.iter().find_map(|(known, node)| match node {
            Node::Text(text) if **known == *name => Some(text.value.as_str()),
            _ => None,
        })
    }

    /// Returns a growing string, to append to it.
    pub fn text_mut(&mut self, name: &str) -> Option<&mut json::Text> {
        match self.get_mut(name) {
            Some(Node::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns a member that was stored as received, as JSON text.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.members.iter().find_map(|(known, node)| match node {
            Node::Raw(text) if **known == *name => Some(&**text),
            _ => None,
        })
    }

    /// Appends the members as JSON, each preceded by a comma.
    pub fn write_members(&self, out: &mut String) {
        for (name, node) in &self.members {
            out.push(',');
            json::write_string(name, out);
            out.push(':');
            node.write(out);
        }
    }

    /// Appends the object as JSON.
    pub fn write(&self, out: &mut String) {
        json::write_object(out, |out| self.write_members(out));
    }
}
