//! A growing value in memory of its own.

use std::collections::HashMap;
use std::convert::Infallible;

use super::builder::{Builder, Failure, Path, Slot, Store};
use super::error::Error;
use super::parser::{Parser, Scalar};
use super::rules::Rules;
use crate::json::write_string;

/// An object with more members than this has an index of its keys.
const INDEX_FROM: usize = 16;

type Id = usize;

#[derive(Clone, Debug)]
enum Data {
    /// A value without parts, as JSON text.
    Scalar(String),
    Text(String),
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

    fn set(&mut self, key: &str, id: Id) {
        if let Some(at) = self.position(key) {
            self.list[at].1 = id;
            return;
        }
        let at = self.list.len();
        if at == INDEX_FROM {
            self.index = self.list.iter().enumerate().map(|(i, (name, _))| (name.clone(), i)).collect();
        }
        if at >= INDEX_FROM {
            self.index.insert(key.to_owned(), at);
        }
        self.list.push((key.to_owned(), id));
    }

    fn pop(&mut self) {
        if let Some((key, _)) = self.list.pop() {
            self.index.remove(&key);
        }
    }
}

/// All created values, by number.
#[derive(Clone, Debug, Default)]
struct Values(Vec<Data>);

impl Values {
    fn add(&mut self, data: Data) -> Result<Id, Infallible> {
        self.0.push(data);
        Ok(self.0.len() - 1)
    }

    /// Appends a value as compact JSON.
    fn write(&self, id: Id, out: &mut String) {
        match &self.0[id] {
            Data::Scalar(text) => out.push_str(text),
            Data::Text(text) => write_string(text, out),
            Data::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.write(*item, out);
                }
                out.push(']');
            }
            Data::Object(members) => {
                out.push('{');
                for (at, (key, value)) in members.list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    self.write(*value, out);
                }
                out.push('}');
            }
        }
    }
}

impl Store for Values {
    type Value = Id;
    type Key = String;
    type Error = Infallible;

    fn object(&mut self) -> Result<Id, Infallible> {
        self.add(Data::Object(Members::default()))
    }

    fn array(&mut self) -> Result<Id, Infallible> {
        self.add(Data::Array(Vec::new()))
    }

    fn text(&mut self, text: &str) -> Result<Id, Infallible> {
        self.add(Data::Text(text.to_owned()))
    }

    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<Id, Infallible> {
        self.add(Data::Scalar(match scalar {
            Scalar::Null => "null".to_owned(),
            Scalar::Bool(value) => value.to_string(),
            Scalar::Number(text) => text.to_owned(),
        }))
    }

    fn key(&mut self, name: &str) -> String {
        name.to_owned()
    }

    fn share(&self, value: &Id) -> Id {
        *value
    }

    fn share_key(&self, key: &String) -> String {
        key.clone()
    }

    fn get(&self, container: &Id, slot: &Slot<String>) -> Result<Option<Id>, Infallible> {
        Ok(match (&self.0[*container], slot) {
            (Data::Array(items), Slot::Index(at)) => items.get(*at).copied(),
            (Data::Object(members), Slot::Name(name)) => members.position(name).map(|at| members.list[at].1),
            _ => None,
        })
    }

    fn set(&mut self, container: &Id, slot: &Slot<String>, value: Id) -> Result<(), Infallible> {
        match (&mut self.0[*container], slot) {
            (Data::Array(items), Slot::Index(at)) => match items.get_mut(*at) {
                Some(item) => *item = value,
                None => items.push(value),
            },
            (Data::Object(members), Slot::Name(name)) => members.set(name, value),
            _ => {}
        }
        Ok(())
    }

    fn remove(&mut self, container: &Id, _: &Slot<String>) -> Result<(), Infallible> {
        match &mut self.0[*container] {
            Data::Array(items) => drop(items.pop()),
            Data::Object(members) => members.pop(),
            Data::Scalar(_) | Data::Text(_) => {}
        }
        Ok(())
    }

    fn release(&mut self, _: &Id, _: &Slot<String>) -> Result<(), Infallible> {
        Ok(())
    }

    fn append(&mut self, text: Id, more: &str) -> Result<Id, Infallible> {
        if let Data::Text(known) = &mut self.0[text] {
            known.push_str(more);
        }
        Ok(text)
    }
}

/// A document with its value so far.
#[derive(Clone, Debug)]
pub struct Document {
    builder: Builder<Id, String>,
    values: Values,
}

impl Document {
    /// Creates an empty document.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { builder: Builder::new(rules), values: Values::default() }
    }

    /// Adds a piece of the text. [`Document::changes`] returns the changes.
    ///
    /// # Errors
    /// Returns an error of [`Parser::feed`]. The value remains readable.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        json_error(self.builder.feed(&mut self.values, bytes))
    }

    /// Ends the text.
    ///
    /// # Errors
    /// Returns an error of [`Parser::finish`]. The value remains readable.
    pub fn finish(&mut self) -> Result<(), Error> {
        json_error(self.builder.finish(&mut self.values))
    }

    /// Returns the paths that the last feed changed, in order, and whether the values there are complete now: see
    /// [`Builder::changes`].
    #[must_use]
    pub fn changes(&self) -> Vec<(Path<'_, String>, bool)> {
        self.builder.changes()
    }

    /// Returns the path to the current position: see [`Builder::open_path`].
    #[must_use]
    pub fn open_path(&self) -> Path<'_, String> {
        self.builder.open_path()
    }

    /// Returns the value so far as compact JSON; `None` until there is one.
    #[must_use]
    pub fn to_json(&self) -> Option<String> {
        let mut out = String::new();
        self.values.write(*self.builder.root()?, &mut out);
        Some(out)
    }

    /// Returns the parser, for offsets and completeness.
    #[must_use]
    pub const fn parser(&self) -> &Parser {
        self.builder.parser()
    }
}

fn json_error(outcome: Result<bool, Failure<Infallible>>) -> Result<(), Error> {
    match outcome {
        Ok(_) => Ok(()),
        Err(Failure::Json(error)) => Err(error),
        Err(Failure::Store(never)) => match never {},
    }
}
