//! OpenAI's Responses API, as streamed by OpenAI, Azure, xAI and compatible servers.
//!
//! `https://platform.openai.com/docs/api-reference/responses-streaming`. A stream is folded into the `response` body that
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
mod output;
mod parts;
mod response;

use super::repeat::{Hole, RepeatDetector};
use super::{provider_error, read, reported, stray_error, within};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Tape, Value};
use crate::limits::Limits;
use crate::tree::Object;
use growth::{GROWTHS, List, Piece};
use item::Item;
use std::borrow::Cow;

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
