//! The growing value as a tree that can be read at any time.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::error::Error;
use super::parser::{Parser, Scalar, Sink};
use super::rules::Rules;

/// Objects with more members than this get an index of their keys.
const INDEX_FROM: usize = 16;

type Id = usize;

#[derive(Clone, Debug)]
enum Data {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Id>),
    Object(Members),
}

#[derive(Clone, Debug, Default)]
struct Members {
    list: Vec<(String, Id)>,
    index: HashMap<String, usize>,
}

impl Members {
    fn position(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            self.list.iter().position(|(name, _)| name == key)
        } else {
            self.index.get(key).copied()
        }
    }

    fn push(&mut self, key: String, id: Id) {
        let at = self.list.len();
        if at == INDEX_FROM {
            self.index = self.list.iter().enumerate().map(|(i, (name, _))| (name.clone(), i)).collect();
        }
        if at >= INDEX_FROM {
            self.index.insert(key.clone(), at);
        }
        self.list.push((key, id));
    }

    fn pop(&mut self) -> Option<String> {
        let (key, _) = self.list.pop()?;
        self.index.remove(&key);
        Some(key)
    }
}

#[derive(Clone, Debug)]
struct Slot {
    data: Data,
    done: bool,
    parent: Option<Id>,
    /// Place among the parent's items or members.
    at: usize,
}

/// A step from a container to something in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// Item of an array.
    Index(usize),
    /// Member of an object.
    Name(&'a str),
}

/// Something that a feed has touched: it is new, has grown or is complete now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    id: Id,
    /// Whether it is complete now.
    pub done: bool,
}

/// A value in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    tree: &'a Tree,
    id: Id,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum View<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(&'a str),
    /// A string, as far as it is known.
    String(&'a str),
    /// The items so far.
    Array(Vec<Node<'a>>),
    /// The members so far, in order of their first appearance.
    Object(Vec<(&'a str, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// What it is.
    #[must_use]
    pub fn view(self) -> View<'a> {
        let tree = self.tree;
        match &tree.slots[self.id].data {
            Data::Null => View::Null,
            Data::Bool(value) => View::Bool(*value),
            Data::Number(text) => View::Number(text),
            Data::String(text) => View::String(text),
            Data::Array(items) => View::Array(items.iter().map(|&id| Node { tree, id }).collect()),
            Data::Object(members) => View::Object(
                members.list.iter().map(|(key, id)| (key.as_str(), Node { tree, id: *id })).collect(),
            ),
        }
    }

    /// Whether it is complete.
    #[must_use]
    pub fn is_done(self) -> bool {
        self.tree.slots[self.id].done
    }

    /// The way to it from the root.
    #[must_use]
    pub fn path(self) -> Vec<Key<'a>> {
        let mut path = Vec::new();
        let mut slot = &self.tree.slots[self.id];
        while let Some(parent) = slot.parent {
            let above = &self.tree.slots[parent];
            path.push(match &above.data {
                Data::Object(members) => Key::Name(&members.list[slot.at].0),
                _ => Key::Index(slot.at),
            });
            slot = above;
        }
        path.reverse();
        path
    }

    /// The member or item there, if it shows.
    #[must_use]
    pub fn get(self, key: Key<'_>) -> Option<Node<'a>> {
        let id = match (&self.tree.slots[self.id].data, key) {
            (Data::Array(items), Key::Index(at)) => *items.get(at)?,
            (Data::Object(members), Key::Name(name)) => members.list[members.position(name)?].1,
            _ => return None,
        };
        Some(Node { tree: self.tree, id })
    }

    /// Appends the value as compact JSON.
    fn write(self, out: &mut String) {
        match self.view() {
            View::Null => out.push_str("null"),
            View::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            View::Number(text) => out.push_str(text),
            View::String(text) => write_string(text, out),
            View::Array(items) => {
                out.push('[');
                for (at, item) in items.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            View::Object(members) => {
                out.push('{');
                for (at, (key, value)) in members.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a String cannot fail.
            c if c < ' ' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[derive(Clone, Debug, Default)]
struct Tree {
    slots: Vec<Slot>,
    root: Option<Id>,
    open: Vec<Id>,
    key: String,
    /// The value at the current place is provisional; with the one that it hides, if a key came twice.
    provisional: Option<(Id, Option<Id>)>,
    text: Id,
    changes: Vec<Change>,
}

impl Tree {
    fn changed(&mut self, id: Id, done: bool) {
        self.slots[id].done = done;
        match self.changes.last_mut() {
            Some(last) if last.id == id => last.done = done,
            _ => self.changes.push(Change { id, done }),
        }
    }

    /// Puts a new value at the current place; gives it and the one that it hides.
    fn attach(&mut self, data: Data, done: bool) -> (Id, Option<Id>) {
        let id = self.slots.len();
        let parent = self.open.last().copied();
        let (mut at, mut hidden) = (0, None);
        match parent.map(|parent| &mut self.slots[parent].data) {
            None => self.root = Some(id),
            Some(Data::Object(members)) => match members.position(&self.key) {
                Some(found) => {
                    at = found;
                    hidden = Some(std::mem::replace(&mut members.list[found].1, id));
                }
                None => {
                    at = members.list.len();
                    members.push(std::mem::take(&mut self.key), id);
                }
            },
            Some(Data::Array(items)) => {
                at = items.len();
                items.push(id);
            }
            Some(_) => {}
        }
        self.slots.push(Slot { data, done, parent, at });
        self.changed(id, done);
        (id, hidden)
    }

    fn open(&mut self, data: Data) {
        let (id, _) = self.attach(data, false);
        self.open.push(id);
    }
}

impl Sink for Tree {
    fn object(&mut self) {
        self.open(Data::Object(Members::default()));
    }

    fn array(&mut self) {
        self.open(Data::Array(Vec::new()));
    }

    fn close(&mut self) {
        if let Some(id) = self.open.pop() {
            self.changed(id, true);
        }
    }

    fn key(&mut self, key: &str) {
        self.key.clear();
        self.key.push_str(key);
    }

    fn string(&mut self) {
        (self.text, _) = self.attach(Data::String(String::new()), false);
    }

    fn grow(&mut self, more: &str) {
        let id = self.text;
        if let Data::String(text) = &mut self.slots[id].data {
            text.push_str(more);
        }
        self.changed(id, false);
    }

    fn end_string(&mut self) {
        self.changed(self.text, true);
    }

    fn scalar(&mut self, scalar: Scalar<'_>) {
        match self.provisional.take() {
            Some((id, _)) => {
                self.slots[id].data = scalar.into();
                self.changed(id, true);
            }
            None => {
                self.attach(scalar.into(), true);
            }
        }
    }

    fn provisional(&mut self, scalar: Option<Scalar<'_>>) {
        match (scalar, self.provisional) {
            (Some(scalar), Some((id, _))) => {
                self.slots[id].data = scalar.into();
                self.changed(id, false);
            }
            (Some(scalar), None) => self.provisional = Some(self.attach(scalar.into(), false)),
            (None, Some((id, hidden))) => {
                self.provisional = None;
                self.changes.retain(|change| change.id != id);
                let (parent, at) = (self.slots[id].parent, self.slots[id].at);
                match parent.map(|parent| &mut self.slots[parent].data) {
                    Some(Data::Array(items)) => drop(items.pop()),
                    Some(Data::Object(members)) => match hidden {
                        // The key is still the current one: only a new member takes it.
                        Some(hidden) => members.list[at].1 = hidden,
                        None => self.key = members.pop().unwrap_or_default(),
                    },
                    _ => self.root = None,
                }
                if let Some(shown) = hidden.or(parent) {
                    self.changed(shown, hidden.is_some());
                }
            }
            (None, None) => {}
        }
    }

    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl From<Scalar<'_>> for Data {
    fn from(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Number(text) => Self::Number(text.to_owned()),
        }
    }
}

/// A [`Parser`] with the value that it has read so far.
#[derive(Clone, Debug)]
pub struct Document {
    parser: Parser,
    tree: Tree,
}

impl Document {
    /// An empty document.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { parser: Parser::new(rules), tree: Tree::default() }
    }

    /// Reads more of the text; [`Document::changes`] says what it changed.
    ///
    /// # Errors
    /// See [`Parser::feed`]; the value stays readable.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.tree.changes.clear();
        self.parser.feed(bytes, &mut self.tree)
    }

    /// The text is at its end.
    ///
    /// # Errors
    /// See [`Parser::finish`]; the value stays readable.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.tree.changes.clear();
        self.parser.finish(&mut self.tree)
    }

    /// The value so far; `None` until something shows.
    #[must_use]
    pub fn root(&self) -> Option<Node<'_>> {
        self.tree.root.map(|id| Node { tree: &self.tree, id })
    }

    /// What the last feed touched, in order. A value that was withdrawn shows as a change of its container.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.tree.changes
    }

    /// The value that a change is about.
    #[must_use]
    pub fn changed(&self, change: &Change) -> Node<'_> {
        Node { tree: &self.tree, id: change.id }
    }

    /// The value so far as compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        let mut out = String::new();
        self.root()?.write(&mut out);
        Some(out)
    }

    /// The state machine, for offsets and completeness.
    #[must_use]
    pub const fn parser(&self) -> &Parser {
        &self.parser
    }
}
