//! OpenAI's Responses API, as streamed by OpenAI, Azure, xAI and compatible servers.
//!
//! `https://platform.openai.com/docs/api-reference/responses-streaming`. A stream is folded into the `response` body
//! that
//! the server would have sent for the same request without streaming.
//!
//! The merge rules:
//!
//! - deltas are joined; the complete value of a `done` event replaces the joined deltas;
//! - the item of `output_item.done` replaces the item, and an item in the `output` of the last event replaces that;
//! - items that the last event omits are kept, because the server of ChatGPT sends an empty `output` there;
//! - the other members of the response come from the latest event with a `response`.
//!
//! An event refers to the item with its `item_id`, or else to the item with its `output_index`, because GitHub Copilot
//! sends another id in every event. A function call is complete only with its `output_item.done`: a call that the token
//! limit cut off can have complete JSON as arguments. Unknown events add nothing. Events after the last one are
//! ignored.

mod growth;
mod item;
mod response;

use super::repeat::{Hole, RepeatDetector};
use super::{provider_error, read, reported, stray_error, within};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Tape, Value};
use crate::limits::Limits;
use crate::tree::{Node, Object};
use growth::{GROWTHS, Growth, List, Piece, element};
use item::Item;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

/// The number of latest items that an event can refer to.
const REACH: usize = 1024;

/// The last parts of the names of events that report the progress of a hosted tool.
const PROGRESS: [&str; 6] = ["in_progress", "searching", "interpreting", "generating", "completed", "failed"];

/// The state of a response.
#[derive(Debug, Default)]
pub struct State {
    limits: Limits,
    started: bool,
    complete: bool,
    received: usize,
    sequence_number: Option<u64>,
    id: String,
    model: String,
    finish_reason: Option<String>,
    usage: Option<Box<str>>,
    /// The other members of the response.
    members: Object,
    /// The items of the output, in the order of their first events.
    items: Vec<Item>,
    /// How often a text was replaced, or may have been.
    rewrites: u64,
    /// The positions of the items that call the caller's tools.
    calls: Vec<usize>,
    repeat: RepeatDetector<Target>,
    holes: Vec<Hole<Target>>,
}

/// The part that a string or number of an event extends.
#[derive(Debug, Clone, Copy, Default)]
enum Target {
    /// Nothing: padding.
    #[default]
    Nowhere,
    SequenceNumber,
    /// A string of the item at this position: the number of its growth, and its index.
    Item {
        position: usize,
        growth: usize,
        index: usize,
    },
}

impl State {
    /// Creates an empty response.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Folds the data of one event, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns an error if the data is not JSON or has another form, if a limit is exceeded, or if the provider reports
    /// one. The
    /// rest of an event with a provider's error has been folded.
    pub fn event(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        if self.complete {
            return Ok(());
        }
        self.receive(data)?;
        if let Some(variation) = self.repeat.vary(data) {
            for (target, text) in variation {
                match target {
                    Target::Nowhere => {}
                    Target::SequenceNumber => self.sequence_number = text.parse().ok(),
                    Target::Item { position, growth, index } => {
                        self.grow(position, growth, index, Piece::Quoted(text), delta);
                    }
                }
            }
            return Ok(());
        }
        let root = read(tape, data, self.limits.depth)?;
        let folded = self.fold(root, delta);
        let template = (folded.is_ok() && !self.holes.is_empty()).then_some(data);
        self.repeat.set(template, &mut self.holes);
        folded
    }

    /// Folds the body of a response without streaming, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns the same errors as [`event`](Self::event).
    pub fn body(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        self.receive(data)?;
        let root = read(tape, data, self.limits.depth)?;
        // The response of a background run arrives before the run has ended.
        if matches!(&*text(root, "status"), "queued" | "in_progress") {
            self.complete = true;
            self.response_object(root, None, delta)?;
            return self.fold_output(root, delta);
        }
        self.response_object(root, Some("completed"), delta)
    }

    /// Ends the stream. Strings that were still growing end too.
    pub fn finish(&mut self, delta: &mut Delta) {
        for position in 0..self.items.len() {
            let known: Vec<_> = self.items[position].emitted().into_iter().map(str::len).collect();
            self.items[position].members.finish();
            self.emit(position, &known, delta);
        }
    }

    /// Returns whether the last event of the response has arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns whether the response has begun, but its last event has not arrived.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.started && !self.complete
    }

    fn receive(&mut self, data: &str) -> Result<(), ErrorKind> {
        self.received += data.len();
        within(Limit::ResponseBytes, self.received, self.limits.response_bytes)
    }

    fn fold(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        if let Some(number) = root.get("sequence_number")
            && let Ok(count) = number.raw().parse()
        {
            self.sequence_number = Some(count);
            self.holes.push(Hole { span: number.span(), target: Target::SequenceNumber });
        }
        let kind = root.get("type").and_then(Value::as_str).unwrap_or_default();
        let Some(name) = kind.strip_prefix("response.") else {
            self.holes.clear();
            let error = if kind == "error" { Some(reported(root)) } else { stray_error(root) };
            return error.map_or(Ok(()), Err);
        };
        self.started = true;
        if let Some(name) = name.strip_suffix(".delta")
            && let Some(growth) = GROWTHS.iter().position(|growth| growth.name == name)
        {
            return self.piece(root, growth, delta);
        }
        self.holes.clear();
        if let Some(name) = name.strip_suffix(".done")
            && let Some(growth) = GROWTHS.iter().find(|growth| growth.name == name)
        {
            return self.whole(root, growth, delta);
        }
        match name {
            "output_item.added" => self.begin(root, delta),
            "output_item.done" => self.complete_item(root, delta),
            "content_part.added" | "reasoning_part.added" => self.part(root, List::Content, false, delta),
            "content_part.done" | "reasoning_part.done" => self.part(root, List::Content, true, delta),
            "reasoning_summary_part.added" => self.part(root, List::Summary, false, delta),
            "reasoning_summary_part.done" => self.part(root, List::Summary, true, delta),
            "output_text.annotation.added" => {
                self.annotate(root);
                Ok(())
            }
            _ => match root.get("response").filter(|response| response.kind() == Kind::Object) {
                Some(response) => {
                    let last = matches!(name, "completed" | "incomplete" | "failed" | "cancelled");
                    self.response_object(response, last.then_some(name), delta)
                }
                None => {
                    self.progress(root, name);
                    Ok(())
                }
            },
        }
    }

    /// Folds the response object of an event; of the last event, with the status that the event reports.
    fn response_object(
        &mut self,
        response: Value<'_>,
        last: Option<&str>,
        delta: &mut Delta,
    ) -> Result<(), ErrorKind> {
        for (key, member) in response.members() {
            match &*key.name() {
                "output" => {}
                "id" => self.id = member.as_str().unwrap_or_default().into_owned(),
                "model" => self.model = member.as_str().unwrap_or_default().into_owned(),
                "usage" => self.usage = Some(member.normalized().into()).filter(|_| !member.is_null()),
                name => self.members.set(name, member),
            }
        }
        let Some(last) = last else { return Ok(()) };
        self.complete = true;
        let status = text(response, "status");
        let status = if status.is_empty() { last } else { &*status };
        let details = response.get("incomplete_details").filter(|_| status == "incomplete");
        let reason = details.map(|details| text(details, "reason")).filter(|reason| !reason.is_empty());
        self.finish_reason = Some(reason.as_deref().unwrap_or(status).to_owned());
        self.fold_output(response, delta)?;
        self.finish(delta);
        if !matches!(status, "incomplete" | "failed" | "cancelled") {
            (0..self.items.len()).for_each(|position| self.deliver(position, delta));
        }
        match response.get("error").filter(|error| error.is_truthy()) {
            Some(error) => Err(provider_error(error)),
            None if status == "failed" => Err(provider_error(response)),
            None => Ok(()),
        }
    }

    /// Folds the output of a complete response.
    fn fold_output(&mut self, response: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
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
    fn known_items(&self, values: &[Value<'_>]) -> Vec<Option<usize>> {
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
    fn begin(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
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
    fn complete_item(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
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
    fn open(&mut self, item: Item, delta: &mut Delta) -> Result<usize, ErrorKind> {
        self.items.push(Item { index: item.index, ..Item::default() });
        self.replace(self.items.len() - 1, item, delta)?;
        Ok(self.items.len() - 1)
    }

    /// Replaces an item by a later version, and emits the text that the later version adds.
    fn replace(&mut self, position: usize, new: Item, delta: &mut Delta) -> Result<(), ErrorKind> {
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
    fn emit(&mut self, position: usize, known: &[usize], delta: &mut Delta) {
        let item = &self.items[position];
        let call = if item.is_call() { self.call_of(position) } else { None };
        let starts = known.iter().copied().chain(std::iter::repeat(0));
        for (text, from) in item.emitted().into_iter().zip(starts) {
            push(text.get(from..).unwrap_or_default(), call, delta);
        }
    }

    /// Emits a call once, unless the model was cut off in it.
    fn deliver(&mut self, position: usize, delta: &mut Delta) {
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

    fn call_of(&self, position: usize) -> Option<usize> {
        self.calls.iter().rposition(|&item| item == position)
    }

    /// Returns the item of this type that an event refers to.
    fn find(&self, id: &str, index: Option<i64>, kind: &str) -> Option<usize> {
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
    fn find_or_open(&mut self, root: Value<'_>, kind: &str) -> Result<usize, ErrorKind> {
        let id = text(root, "item_id");
        match self.find(&id, output_index(root), kind) {
            Some(position) => Ok(position),
            None => self.open(Item::missing(self.index_of(root), kind, &id), &mut Delta::default()),
        }
    }

    /// Returns the position of a new item in the output.
    fn index_of(&self, root: Value<'_>) -> i64 {
        output_index(root).unwrap_or(self.items.len() as i64)
    }

    /// A `delta` event.
    fn piece(&mut self, root: Value<'_>, growth: usize, delta: &mut Delta) -> Result<(), ErrorKind> {
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
    fn grow(
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
    fn whole(&mut self, root: Value<'_>, growth: &Growth, delta: &mut Delta) -> Result<(), ErrorKind> {
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
    fn part(&mut self, root: Value<'_>, list: List, done: bool, delta: &mut Delta) -> Result<(), ErrorKind> {
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
    fn annotate(&mut self, root: Value<'_>) {
        let position = self.find(&text(root, "item_id"), output_index(root), "message");
        if let (Some(position), Some(annotation)) = (position, root.get("annotation"))
            && !self.items[position].done
        {
            self.items[position].append(index_in(root, Some("content_index")), "annotations", [annotation]);
        }
    }

    /// An event that reports the progress of a hosted tool.
    fn progress(&mut self, root: Value<'_>, name: &str) {
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

/// Emits text, or arguments of a call.
fn push(text: &str, call: Option<usize>, delta: &mut Delta) {
    match call {
        Some(call) if !text.is_empty() => delta.arguments.push((call, text.to_owned())),
        Some(_) => {}
        None => delta.text.push_str(text),
    }
}

/// Returns the string with this name; empty if there is none.
fn text<'a>(value: Value<'a>, name: &str) -> Cow<'a, str> {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn object<'a>(root: Value<'a>, name: &str, path: &'static str) -> Result<Value<'a>, ErrorKind> {
    let value = root.get(name).filter(|value| value.kind() == Kind::Object);
    value.ok_or(ErrorKind::Shape { path, expected: "an object" })
}

fn output_index(root: Value<'_>) -> Option<i64> {
    root.get("output_index").and_then(Value::as_i64)
}

/// Returns the position in a list that an event names; the first one if it names none.
fn index_in(root: Value<'_>, name: Option<&str>) -> usize {
    let index = name.and_then(|name| root.get(name)).and_then(Value::as_i64);
    index.and_then(|index| usize::try_from(index).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns whether the second event is read as a variation of the first.
    fn varies(first: &str, second: &str) -> bool {
        let mut state = State::new(Limits::default());
        let (mut tape, mut delta) = (Tape::default(), Delta::default());
        state.event(&mut tape, first, &mut delta).unwrap();
        state.repeat.vary(second).is_some()
    }

    #[test]
    fn the_events_that_make_up_a_stream_are_variations_of_each_other() {
        for event in [
            r#"{"type":"response.output_text.delta","sequence_number":#,"item_id":"m","output_index":0,"content_index":0,"delta":"@","logprobs":[],"obfuscation":"@"}"#,
            r#"{"type":"response.function_call_arguments.delta","sequence_number":#,"item_id":"f","output_index":1,"delta":"@"}"#,
            r#"{"delta":"@","type":"response.reasoning_summary_text.delta","summary_index":1,"item_id":"r","sequence_number":#}"#,
            r#"{"type":"response.shell_call_command.delta","command_index":0,"delta":"@","obfuscation":"@","output_index":0,"sequence_number":#}"#,
            r#"{"type":"response.output_text.delta","item_id":"m","delta":"@"}"#,
        ] {
            let first = event.replace('@', "a").replace('#', "9");
            assert!(varies(&first, &event.replace('@', r#"\"longer\" é"#).replace('#', "10")), "{event}");
            assert!(!varies(&first, &event.replace('@', "\"").replace('#', "10")), "no JSON: {event}");
            assert!(
                !varies(&first, &event.replace('@', "b").replace("_id\":\"", "_id\":\"x"))
                    || event.contains("shell")
            );
            for number in ["-1", "01", "1.5", "1e2", "null", "\"1\""] {
                let second = event.replace('@', "b").replace('#', number);
                assert!(!event.contains('#') || !varies(&first, &second), "{second}");
            }
        }
    }

    #[test]
    fn events_that_do_more_than_add_text_are_none() {
        for event in [
            r#"{"type":"response.output_text.delta","item_id":"m","delta":"@","logprobs":[{"token":"@"}]}"#,
            r#"{"type":"response.output_text.done","item_id":"m","text":"@"}"#,
            r#"{"type":"response.shell_call_output_content.delta","item_id":"m","delta":{"stdout":"@"}}"#,
            r#"{"type":"response.web_search_call.searching","item_id":"@","sequence_number":1}"#,
            r#"{"type":"response.unknown.delta","item_id":"m","delta":"@","sequence_number":1}"#,
        ] {
            assert!(!varies(&event.replace('@', "a"), &event.replace('@', "b")), "{event}");
        }
    }
}
