//! The events inside an item: growing strings, the parts of its lists, annotations and progress.

use super::super::repeat::Hole;
use super::growth::{self, GROWTHS, Growth, List, Piece, element};
use super::item;
use super::output::push;
use super::{State, Target, index_in, object, output_index, text};
use crate::delta::Delta;
use crate::error::ErrorKind;
use crate::json::Value;
use crate::tree::{Node, Object};

/// The last parts of the names of events that report the progress of a hosted tool.
const PROGRESS: [&str; 6] = ["in_progress", "searching", "interpreting", "generating", "completed", "failed"];

impl State {
    /// A `delta` event.
    pub(super) fn piece(
        &mut self,
        root: Value<'_>,
        growth: usize,
        delta: &mut Delta,
    ) -> Result<(), ErrorKind> {
        let rule = &GROWTHS[growth];
        let Some(value) = root.get("delta").filter(|value| !value.is_null()) else {
            self.holes.clear();
            return Ok(());
        };
        let Some(piece) = Piece::new(value) else {
            return Err(ErrorKind::Shape { path: "delta", expected: "a string" });
        };
        let position = self.find_or_open(root, rule.item)?;
        if self.items[position].done {
            self.holes.clear();
            return Ok(());
        }
        let index = index_in(root, rule.place.index());
        let logprobs = root.get("logprobs").filter(|logprobs| logprobs.is_truthy());
        if let Some(logprobs) = logprobs {
            self.items[position].append(index, "logprobs", logprobs.elements());
        }
        if logprobs.is_none() && value.quoted().is_some() {
            let target = Target::Item { position, growth, index };
            let padding = root.get("obfuscation").filter(|padding| padding.quoted().is_some());
            for (value, target) in [(value, target)].into_iter().chain(padding.map(|p| (p, Target::Nowhere)))
            {
                let span = value.span();
                self.holes.push(Hole { span: span.start + 1..span.end - 1, target });
            }
        } else {
            self.holes.clear();
        }
        if self.grow(position, growth, index, piece, delta) {
            return Ok(());
        }
        let path = rule.place.index().unwrap_or("delta");
        Err(ErrorKind::Shape { path, expected: "the position of an open part" })
    }

    /// Appends a delta to a string of an item. Returns `false` if the item has no such string.
    pub(super) fn grow(
        &mut self,
        position: usize,
        growth: usize,
        index: usize,
        piece: Piece<'_>,
        delta: &mut Delta,
    ) -> bool {
        let rule = &GROWTHS[growth];
        let call = if rule.item == "function_call" { self.call_of(position) } else { None };
        let Some((text, from)) = self.items[position].grow(rule, index, piece) else { return false };
        if rule.name == "output_text" || call.is_some() {
            push(&text[from..], call, delta);
        }
        true
    }

    /// A `done` event, whose string replaces the joined deltas.
    pub(super) fn whole(
        &mut self,
        root: Value<'_>,
        growth: &Growth,
        delta: &mut Delta,
    ) -> Result<(), ErrorKind> {
        let Some(quoted) = root.get(growth.whole).and_then(Value::quoted) else { return Ok(()) };
        let position = self.find_or_open(root, growth.item)?;
        if self.items[position].done {
            return Ok(());
        }
        let call = if growth.item == "function_call" { self.call_of(position) } else { None };
        let place =
            growth.place.find(&mut self.items[position].members, index_in(root, growth.place.index()));
        if let Some(text) = place.and_then(Node::text_mut) {
            self.rewrites += 1;
            let old = std::mem::take(text);
            text.push(quoted);
            text.finish();
            if (growth.name == "output_text" || call.is_some())
                && let Some(rest) = text.value.strip_prefix(&old.value)
            {
                push(rest, call, delta);
            }
        }
        Ok(())
    }

    /// An event that begins or completes a part of a list.
    pub(super) fn part(
        &mut self,
        root: Value<'_>,
        list: List,
        done: bool,
        delta: &mut Delta,
    ) -> Result<(), ErrorKind> {
        let value = object(root, "part", "part")?;
        let kind = match &*text(value, "type") {
            "summary_text" | "reasoning_text" => "reasoning",
            _ => "message",
        };
        let position = self.find_or_open(root, kind)?;
        let item = &mut self.items[position];
        if item.done {
            return Ok(());
        }
        let index = index_in(root, Some(list.index()));
        let Some(parts) = item.members.entry(list.name()).elements_mut() else { return Ok(()) };
        if !done && index < parts.len() {
            return Ok(());
        }
        let Some(part) = element(parts, index, || Node::Object(Object::default())) else { return Ok(()) };
        self.rewrites += 1;
        let new = Node::growing(value, item::LEVELS - 1);
        let old = std::mem::replace(part, new);
        let output_text = |part: &Node| item::text_of(part, "output_text", "text").map(str::to_owned);
        if let (Some(new), old) = (output_text(part), output_text(&old).unwrap_or_default())
            && let Some(rest) = new.strip_prefix(&old)
        {
            push(rest, None, delta);
        }
        Ok(())
    }

    /// `output_text.annotation.added`
    pub(super) fn annotate(&mut self, root: Value<'_>) {
        let position = self.find(&text(root, "item_id"), output_index(root), "message");
        if let (Some(position), Some(annotation)) = (position, root.get("annotation"))
            && !self.items[position].done
        {
            self.items[position].append(index_in(root, Some("content_index")), "annotations", [annotation]);
        }
    }

    /// An event that reports the progress of a hosted tool.
    pub(super) fn progress(&mut self, root: Value<'_>, name: &str) {
        if let Some((kind, status)) = name.split_once('.')
            && kind.ends_with("_call")
            && PROGRESS.contains(&status)
            && let Some(position) = self.find(&text(root, "item_id"), output_index(root), kind)
            && !self.items[position].done
        {
            growth::set_text(&mut self.items[position].members, "status", status);
        }
    }
}
