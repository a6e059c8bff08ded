//! The state of one candidate: its parts and its finish reason.

use super::call::{Call, Piece};
use super::{object, within, word};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Text, Value};
use crate::limits::Limits;
use crate::tree::{Merge, Object};
use std::ops::Range;

/// The state of a candidate.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    pub index: i64,
    /// The members of its `content` except the parts; `None` if it has no content.
    pub content: Option<Object>,
    /// The parts; `None` if no event had any.
    pub parts: Option<Vec<Part>>,
    /// The positions of the function calls in `parts`.
    pub calls: Vec<usize>,
    pub finish_reason: Option<String>,
    /// The other members, including `index` and `finishReason`.
    pub members: Object,
}

#[derive(Debug)]
pub(super) enum Part {
    Text(Box<TextPart>),
    Call(Box<Call>),
    /// Media, code, results and all unknown kinds, as received.
    Other(Box<str>),
}

#[derive(Debug, Default)]
pub(super) struct TextPart {
    pub text: Text,
    pub is_thought: bool,
    /// Whether it has only the members `text` and `thought`, so that it may be joined with another part.
    pub is_plain: bool,
    /// The other members, including `thought`.
    pub members: Object,
}

/// The kind of input: an event, or a body without streaming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Event,
    Body,
}

/// The result of folding an event into a candidate.
#[derive(Debug)]
pub(super) struct Folded {
    /// The range of the text that may differ in the next event, without its quotes.
    pub text: Option<Range<usize>>,
    /// The call whose arguments end in that text; `None` for the text of a part.
    pub call: Option<usize>,
    /// Whether the same event with another text would only add that text.
    pub is_repeatable: bool,
}

/// The finish reasons in the order of their protobuf numbers, as far as Google's two APIs agree.
const FINISH_REASONS: [&str; 5] = ["STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];

/// The finish reasons after which function calls may run.
const ORDINARY: [&str; 2] = ["STOP", "MAX_TOKENS"];

/// Returns the merge rule of a member of a candidate.
fn merge_of(name: &str) -> Merge {
    match name {
        "citationMetadata" | "groundingMetadata" | "urlContextMetadata" => Merge::Extend,
        "logprobsResult" => Merge::Grow,
        _ => Merge::Latest,
    }
}

impl Candidate {
    /// Returns whether this is the candidate of `content`, `tools` and the deltas.
    pub fn is_first(&self) -> bool {
        self.index == 0
    }

    /// Folds a complete candidate, or the part of a candidate in an event.
    pub fn fold(
        &mut self,
        value: Value<'_>,
        mode: Mode,
        limits: &Limits,
        delta: &mut Delta,
    ) -> Result<Folded, ErrorKind> {
        let mut folded = Folded { text: None, call: None, is_repeatable: true };
        let mut content = None;
        for (key, member) in value.members() {
            let name = &*key.name();
            match name {
                "content" => {
                    content = Some(member).filter(|member| !member.is_null());
                    continue;
                }
                "finishReason" => {
                    let reason = word(member, &FINISH_REASONS);
                    if let Some(reason) = reason.filter(|reason| reason != "FINISH_REASON_UNSPECIFIED") {
                        self.finish_reason = Some(reason);
                        folded.is_repeatable = false;
                    }
                }
                // The list would grow by the same elements again.
                _ => folded.is_repeatable &= merge_of(name) == Merge::Latest || !member.is_truthy(),
            }
            self.members.merge(name, member, merge_of(name));
        }
        if let Some(content) = content {
            self.content(content, mode, limits, delta, &mut folded)?;
        }
        if folded.is_repeatable && self.has_waiting_call() {
            folded.is_repeatable = false;
        }
        if self.finish_reason.is_some() {
            self.complete_waiting(delta);
        }
        Ok(folded)
    }

    fn content(
        &mut self,
        value: Value<'_>,
        mode: Mode,
        limits: &Limits,
        delta: &mut Delta,
        folded: &mut Folded,
    ) -> Result<(), ErrorKind> {
        object(value, "candidates[].content")?;
        let mut parts = None;
        let members = self.content.get_or_insert_default();
        for (key, member) in value.members() {
            if key.is("parts") {
                parts = Some(member).filter(|member| !member.is_null());
            } else {
                members.merge(&key.name(), member, Merge::Latest);
            }
        }
        let Some(parts) = parts else { return Ok(()) };
        if parts.kind() != Kind::Array {
            return Err(ErrorKind::Shape { path: "candidates[].content.parts", expected: "an array" });
        }
        self.parts.get_or_insert_default();
        for (place, part) in parts.elements().enumerate() {
            object(part, "candidates[].content.parts[]")?;
            let call = part.get("functionCall").filter(|call| !call.is_null());
            let text = part.get("text").filter(|text| text.quoted().is_some());
            folded.text = None;
            folded.is_repeatable &= place == 0;
            match (call, text) {
                (Some(call), _) => {
                    (folded.call, folded.text) = self.call(part, call, limits, delta)?.unzip();
                    folded.is_repeatable &= folded.call.is_some();
                }
                (None, Some(text)) => {
                    self.complete_waiting(delta);
                    if self.text(part, text, mode, delta) {
                        folded.text = Some(text.span().start + 1..text.span().end - 1);
                    } else {
                        folded.is_repeatable = false;
                    }
                }
                (None, None) => {
                    folded.is_repeatable = false;
                    self.complete_waiting(delta);
                    self.push(Part::Other(part.normalized().into()), delta);
                }
            }
        }
        Ok(())
    }

    /// Adds a part at the end. The text before it can no longer grow.
    fn push(&mut self, part: Part, delta: &mut Delta) {
        self.finish_text(delta);
        let parts = self.parts.get_or_insert_default();
        if let Some(Part::Text(text)) = parts.last()
            && text.is_plain
            && text.text.value.is_empty()
            && parts.len() == 1
        {
            // The empty text part only showed that parts exist.
            parts.pop();
        }
        parts.push(part);
    }

    /// Folds a part with text. Returns whether the next event with another text would only extend it.
    fn text(&mut self, part: Value<'_>, value: Value<'_>, mode: Mode, delta: &mut Delta) -> bool {
        let quoted = value.quoted().unwrap_or_default();
        let is_thought = part.get("thought").is_some_and(Value::is_truthy);
        let is_plain =
            part.members().all(|(key, member)| key.is("text") || key.is("thought") || member.is_null());
        let joins = is_plain && mode == Mode::Event;
        let last = self.parts.as_ref().and_then(|parts| parts.last());
        if joins && quoted.is_empty() && last.is_some() {
            return false;
        }
        let joined = match last {
            Some(Part::Text(last)) => joins && last.is_plain && last.is_thought == is_thought,
            _ => false,
        };
        if !joined {
            let mut members = Object::default();
            for (key, member) in part.members() {
                if !key.is("text") {
                    members.merge(&key.name(), member, Merge::Latest);
                }
            }
            let part = TextPart { text: Text::default(), is_thought, is_plain: joins, members };
            self.push(Part::Text(Box::new(part)), delta);
        }
        self.grow(quoted, delta);
        joins && !quoted.is_empty()
    }

    /// Appends the text between the quotes of a JSON string to the last part.
    pub fn grow(&mut self, quoted: &str, delta: &mut Delta) {
        let is_first = self.is_first();
        if let Some(Part::Text(part)) = self.parts.as_mut().and_then(|parts| parts.last_mut()) {
            let from = part.text.value.len();
            part.text.push(quoted);
            if is_first && !part.is_thought {
                delta.text.push_str(&part.text.value[from..]);
            }
        }
    }

    /// Ends the text of the last part. Half of a surrogate pair at its end becomes U+FFFD.
    fn finish_text(&mut self, delta: &mut Delta) {
        let is_first = self.is_first();
        if let Some(Part::Text(part)) = self.parts.as_mut().and_then(|parts| parts.last_mut()) {
            let from = part.text.value.len();
            part.text.finish();
            if is_first && !part.is_thought {
                delta.text.push_str(&part.text.value[from..]);
            }
        }
    }

    /// Appends the text between the quotes of a JSON string to the string that ends the arguments of a call.
    pub fn grow_arguments(&mut self, call: usize, quoted: &str, delta: &mut Delta) {
        let is_first = self.is_first();
        let Some(known) = self.call_mut(call) else { return };
        let before = known.buffer.arguments.value.len();
        known.grow(quoted);
        let added = &known.buffer.arguments.value[before..];
        if is_first && !added.is_empty() {
            delta.arguments.push((call, added.to_owned()));
        }
    }

    /// Folds a part with a function call, or with a piece of one.
    ///
    /// If the same event with another string would only extend the arguments, returns the call and the range of the
    /// string, without its quotes.
    fn call(
        &mut self,
        part: Value<'_>,
        value: Value<'_>,
        limits: &Limits,
        delta: &mut Delta,
    ) -> Result<Option<(usize, Range<usize>)>, ErrorKind> {
        object(value, "candidates[].content.parts[].functionCall")?;
        let piece = Piece::new(part, value);
        let can_run = self.can_run();
        let call = match self.route(&piece) {
            Some(call) => call,
            None if piece.name.is_some() => {
                self.complete_waiting(delta);
                within(Limit::ToolCalls, self.calls.len() + 1, limits.tool_calls)?;
                self.push(Part::Call(Box::default()), delta);
                self.calls.push(self.parts.as_ref().map_or(0, Vec::len) - 1);
                self.calls.len() - 1
            }
            // The end of a call that has ended already.
            None if piece.is_empty() => return Ok(None),
            None if !can_run => {
                self.push(Part::Other(part.normalized().into()), delta);
                return Ok(None);
            }
            None => {
                return Err(ErrorKind::Shape {
                    path: "candidates[].content.parts[].functionCall.name",
                    expected: "the name of a function, which is required because no call is open",
                });
            }
        };
        let is_first = self.is_first();
        let Some(known) = self.call_mut(call) else { return Ok(None) };
        let before = known.buffer.arguments.value.len();
        known.add(&piece, limits.depth)?;
        if is_first && known.buffer.arguments.value.len() > before {
            delta.arguments.push((call, known.buffer.arguments.value[before..].to_owned()));
        }
        let extends = known.ends_in_text().then(|| piece.only_string()).flatten();
        if known.is_over() {
            self.complete(call, delta);
        }
        Ok(extends.map(|string| (call, string)))
    }

    /// Returns the call that a piece continues or repeats; `None` if it begins a call.
    fn route(&self, piece: &Piece<'_>) -> Option<usize> {
        let calls = || (0..self.calls.len()).rev().filter_map(|call| Some((call, self.call_at(call)?)));
        if let Some(id) = &piece.id
            && let Some((call, _)) =
                calls().find(|(_, known)| known.buffer.id.as_deref() == Some(id) && known.accepts(piece))
        {
            return Some(call);
        }
        if piece.name.is_some() {
            return None;
        }
        let accepts_id = |known: &Call| piece.id.is_none() || known.buffer.id.is_none();
        calls().find(|(_, known)| !known.is_over() && accepts_id(known)).map(|(call, _)| call)
    }

    /// Returns whether the calls may run, as far as the events so far show.
    fn can_run(&self) -> bool {
        self.finish_reason.as_deref().is_none_or(|reason| ORDINARY.contains(&reason))
    }

    fn has_waiting_call(&self) -> bool {
        self.calls.len().checked_sub(1).and_then(|call| self.call_at(call)).is_some_and(Call::is_waiting)
    }

    /// Completes the last call if it waited for the next part.
    fn complete_waiting(&mut self, delta: &mut Delta) {
        if self.has_waiting_call() {
            self.complete(self.calls.len() - 1, delta);
        }
    }

    /// Completes a call, unless the candidate was blocked or malformed.
    fn complete(&mut self, call: usize, delta: &mut Delta) {
        let (is_first, can_run) = (self.is_first(), self.can_run());
        let Some(known) = self.call_mut(call) else { return };
        if known.buffer.delivered {
            return;
        }
        let rest = known.close();
        if is_first && !rest.is_empty() {
            delta.arguments.push((call, rest));
        }
        if can_run {
            known.buffer.delivered = true;
            if is_first {
                delta.completed.push(call);
            }
        }
    }

    /// Ends the candidate.
    pub fn finish(&mut self, mode: Mode, delta: &mut Delta) {
        self.finish_text(delta);
        self.complete_waiting(delta);
        if mode == Mode::Event && self.finish_reason.as_deref() == Some("STOP") {
            // Vertex AI omits the last piece of some calls (https://github.com/vercel/ai/issues/14358).
            for call in 0..self.calls.len() {
                if self.call_at(call).is_some_and(Call::may_be_over) {
                    self.complete(call, delta);
                }
            }
        }
    }

    pub fn call_at(&self, call: usize) -> Option<&Call> {
        match self.parts.as_ref()?.get(*self.calls.get(call)?)? {
            Part::Call(call) => Some(call),
            _ => None,
        }
    }

    fn call_mut(&mut self, call: usize) -> Option<&mut Call> {
        match self.parts.as_mut()?.get_mut(*self.calls.get(call)?)? {
            Part::Call(call) => Some(call),
            _ => None,
        }
    }
}
