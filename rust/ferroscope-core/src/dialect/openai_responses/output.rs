//! The items of the output: added, replaced by later versions, and completed.

use super::super::within;
use super::growth;
use super::item::Item;
use super::{State, object, output_index, text};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Value};
use std::collections::{HashMap, VecDeque};

/// The number of latest items that an event can refer to.
const REACH: usize = 1024;

impl State {
    /// Folds the output of a complete response.
    pub(super) fn fold_output(&mut self, response: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let Some(output) = response.get("output").filter(|output| !output.is_null()) else { return Ok(()) };
        if output.kind() != Kind::Array {
            return Err(ErrorKind::Shape { path: "response.output", expected: "an array" });
        }
        let values: Vec<_> = output.elements().collect();
        let known = self.known_items(&values);
        let all = known.iter().flatten().count() == self.items.len();
        for (index, (value, known)) in values.into_iter().zip(known).enumerate() {
            let index = index as i64;
            match known {
                // Items that the output omits stay between their neighbors.
                Some(position) => {
                    let index = if all { index } else { self.items[position].index };
                    self.replace(position, Item::new(index, value), delta)?;
                }
                None => self.open(Item::new(index, value), delta).map(|_| ())?,
            }
        }
        Ok(())
    }

    /// Returns the earlier version of each item in the last output: the item with its id, or else the first remaining
    /// item of its type.
    pub(super) fn known_items(&self, values: &[Value<'_>]) -> Vec<Option<usize>> {
        let names: Vec<_> = values.iter().map(|&value| (text(value, "type"), text(value, "id"))).collect();
        let mut by_id: HashMap<(&str, &str), usize> = HashMap::new();
        let named = self.items.iter().enumerate().filter(|(_, item)| !item.id().is_empty());
        by_id.extend(named.map(|(position, item)| ((item.kind(), item.id()), position)));
        let mut known: Vec<_> = names.iter().map(|(kind, id)| by_id.remove(&(&**kind, &**id))).collect();
        let mut left = vec![true; self.items.len()];
        known.iter().flatten().for_each(|&position| left[position] = false);
        let mut by_kind: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (position, item) in self.items.iter().enumerate().filter(|&(position, _)| left[position]) {
            by_kind.entry(item.kind()).or_default().push_back(position);
        }
        for ((kind, _), known) in names.iter().zip(&mut known).filter(|(_, known)| known.is_none()) {
            *known = by_kind.get_mut(&**kind).and_then(VecDeque::pop_front);
        }
        known
    }

    /// `output_item.added`
    pub(super) fn begin(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let value = object(root, "item", "response.output_item.added.item")?;
        let id = text(value, "id");
        let known = self.find(&id, None, &text(value, "type")).filter(|_| !id.is_empty());
        if known.is_some_and(|position| !self.items[position].done) {
            // A proxy repeated the event.
            return Ok(());
        }
        let mut item = Item::new(self.index_of(root), value);
        if item.is_call() && item.arguments() == "{}" {
            // Some servers begin the arguments with an empty object.
            growth::set_text(&mut item.members, "arguments", "");
        }
        self.open(item, delta).map(|_| ())
    }

    /// `output_item.done`
    pub(super) fn complete_item(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let value = object(root, "item", "response.output_item.done.item")?;
        let id = text(value, "id");
        let position = match self.find(&id, output_index(root), &text(value, "type")) {
            Some(position) if !self.items[position].done => {
                self.replace(position, Item::new(self.items[position].index, value), delta)?;
                position
            }
            Some(position) if !id.is_empty() && self.items[position].id() == id => return Ok(()),
            _ => self.open(Item::new(self.index_of(root), value), delta)?,
        };
        self.items[position].members.finish();
        self.items[position].done = true;
        self.deliver(position, delta);
        Ok(())
    }

    /// Adds an item.
    pub(super) fn open(&mut self, item: Item, delta: &mut Delta) -> Result<usize, ErrorKind> {
        self.items.push(Item { index: item.index, ..Item::default() });
        self.replace(self.items.len() - 1, item, delta)?;
        Ok(self.items.len() - 1)
    }

    /// Replaces an item by a later version, and emits the text that the later version adds.
    pub(super) fn replace(&mut self, position: usize, new: Item, delta: &mut Delta) -> Result<(), ErrorKind> {
        if new.is_call() && self.call_of(position).is_none() {
            within(Limit::ToolCalls, self.calls.len() + 1, self.limits.tool_calls)?;
            self.calls.push(position);
        }
        self.rewrites += 1;
        let old = std::mem::take(&mut self.items[position]);
        let known = new.known_lengths(&old);
        self.items[position] = Item { done: old.done, delivered: old.delivered, ..new };
        self.emit(position, &known, delta);
        Ok(())
    }

    /// Emits the texts or the arguments of an item, each from an offset on.
    pub(super) fn emit(&mut self, position: usize, known: &[usize], delta: &mut Delta) {
        let item = &self.items[position];
        let call = if item.is_call() { self.call_of(position) } else { None };
        let starts = known.iter().copied().chain(std::iter::repeat(0));
        for (text, from) in item.emitted().into_iter().zip(starts) {
            push(text.get(from..).unwrap_or_default(), call, delta);
        }
    }

    /// Emits a call once, unless the model was cut off in it.
    pub(super) fn deliver(&mut self, position: usize, delta: &mut Delta) {
        let item = &self.items[position];
        if item.is_call()
            && !item.delivered
            && !item.is_incomplete()
            && let Some(call) = self.call_of(position)
        {
            self.items[position].delivered = true;
            delta.completed.push(call);
        }
    }

    pub(super) fn call_of(&self, position: usize) -> Option<usize> {
        self.calls.iter().rposition(|&item| item == position)
    }

    /// Returns the item of this type that an event refers to.
    pub(super) fn find(&self, id: &str, index: Option<i64>, kind: &str) -> Option<usize> {
        let beyond = self.items.len().saturating_sub(REACH);
        let recent = &self.items[beyond..];
        let of_kind = |item: &Item| kind.is_empty() || item.kind() == kind;
        let by_id = || recent.iter().rposition(|item| item.id() == id && of_kind(item));
        let by_index = |index| recent.iter().rposition(|item| item.index == index && of_kind(item));
        let latest = || recent.iter().rposition(|item| !item.done && of_kind(item));
        let found = if id.is_empty() { None } else { by_id() };
        let found = found.or_else(|| match index {
            Some(index) => by_index(index),
            None if id.is_empty() => latest(),
            None => None,
        });
        found.map(|found| beyond + found)
    }

    /// Returns the item that an event refers to, or a new one if its first event is missing.
    pub(super) fn find_or_open(&mut self, root: Value<'_>, kind: &str) -> Result<usize, ErrorKind> {
        let id = text(root, "item_id");
        match self.find(&id, output_index(root), kind) {
            Some(position) => Ok(position),
            None => self.open(Item::missing(self.index_of(root), kind, &id), &mut Delta::default()),
        }
    }

    /// Returns the position of a new item in the output.
    pub(super) fn index_of(&self, root: Value<'_>) -> i64 {
        output_index(root).unwrap_or(self.items.len() as i64)
    }
}

/// Emits text, or arguments of a call.
pub(super) fn push(text: &str, call: Option<usize>, delta: &mut Delta) {
    match call {
        Some(call) if !text.is_empty() => delta.arguments.push((call, text.to_owned())),
        Some(_) => {}
        None => delta.text.push_str(text),
    }
}
