//! Gemini's `streamGenerateContent`, as streamed by Google's Gemini API and Vertex AI.
//!
//! `https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse`. Each event has the form of a complete
//! response. A stream is folded into the body that `generateContent` would have sent for the same request.
//!
//! The merge rules for members with the same name:
//!
//! - `parts`: added to the list. A text is joined with the text before it if both are thoughts or neither is, and
//!   neither
//!   has other members. A part with a `thoughtSignature` remains a part of its own, as Google requires
//!   (`https://ai.google.dev/gemini-api/docs/thought-signatures`). An empty text without other members adds nothing;
//! - `functionCall`: see the module `call`;
//! - `usageMetadata`: the last one replaces the others, because its numbers are totals;
//! - `finishReason`, `finishMessage`, `safetyRatings` and all unknown members: the last value that is not null; objects
//!   are
//!   merged member by member;
//! - `citationMetadata`, `groundingMetadata`, `urlContextMetadata`: objects are merged, and their lists are appended;
//! - `logprobsResult`: objects are merged, and their lists are joined;
//! - `responseId`, `modelVersion`: the first value wins.
//!
//! The form of an event does not show whether it is the last one: several servers send `finishReason` with every event.

mod arguments;
mod call;
mod candidate;
mod response;

use super::repeat::{Hole, RepeatDetector};
use super::{provider_error, read_json, stray_error, take_first};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Tape, Value};
use crate::limits::Limits;
use crate::tree::{Merge, Object};
use candidate::{Candidate, Mode};

/// The state of a response.
#[derive(Debug, Default)]
pub struct State {
    limits: Limits,
    begun: bool,
    received: usize,
    id: String,
    model: String,
    /// The last `usageMetadata` as JSON text.
    usage: Option<String>,
    /// The reason why the prompt was blocked: `promptFeedback.blockReason`.
    block_reason: Option<String>,
    candidates: Option<Vec<Candidate>>,
    /// The other members of the response.
    members: Object,
    repeat: RepeatDetector<Target>,
    holes: Vec<Hole<Target>>,
    /// Whether the current event can serve as a template for the next one.
    repeatable: bool,
}

/// The member of a hole of an event.
#[derive(Debug, Clone, Copy, Default)]
enum Target {
    /// The usage of the response.
    #[default]
    Usage,
    /// The text of the last part of the candidate at this position.
    Text(usize),
    /// The string that ends the arguments of a call: the position of the candidate, and the call.
    Arguments(usize, usize),
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
    /// one.
    pub fn event(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        self.receive(data)?;
        if let Some(variation) = self.repeat.vary(data) {
            for (target, text) in variation {
                match target {
                    Target::Usage => set_text(&mut self.usage, text),
                    Target::Text(position) => {
                        if let Some(candidate) = self.candidates.iter_mut().flatten().nth(position) {
                            candidate.grow(text, delta);
                        }
                    }
                    Target::Arguments(position, call) => {
                        if let Some(candidate) = self.candidates.iter_mut().flatten().nth(position) {
                            candidate.grow_arguments(call, text, delta);
                        }
                    }
                }
            }
            return Ok(());
        }
        self.repeatable = true;
        let folded = self.fold(tape, data, Mode::Event, delta);
        let template = (self.repeatable && folded.is_ok()).then_some(data);
        let is_counted = |target| matches!(target, Target::Usage);
        self.repeat.set_counted(template, &mut self.holes, is_counted);
        folded
    }

    /// Folds the body of a response without streaming, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns the same errors as [`event`](Self::event).
    pub fn body(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        self.receive(data)?;
        let folded = self.fold(tape, data, Mode::Body, delta);
        self.holes.clear();
        self.finish_candidates(Mode::Body, delta);
        folded
    }

    /// Ends the stream. Function calls that may be complete are now complete.
    pub fn finish(&mut self, delta: &mut Delta) {
        self.finish_candidates(Mode::Event, delta);
    }

    fn finish_candidates(&mut self, mode: Mode, delta: &mut Delta) {
        for candidate in self.candidates.iter_mut().flatten() {
            candidate.finish(mode, delta);
        }
    }

    /// Returns whether the response has begun, but not ended.
    ///
    /// An empty `finishReason` means that the model has not stopped, and Google's servers always send a reason at the
    /// end. Some
    /// other servers never do. They send no `responseId` either, and end with the count of the output.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        let counted = || self.usage.as_ref().is_some_and(|usage| usage.contains("\"candidatesTokenCount\""));
        self.begun && self.finish_reasons().next().is_none() && (!self.id.is_empty() || !counted())
    }

    fn receive(&mut self, data: &str) -> Result<(), ErrorKind> {
        self.received += data.len();
        within(Limit::ResponseBytes, self.received, self.limits.response_bytes)
    }

    fn fold(&mut self, tape: &mut Tape, data: &str, mode: Mode, delta: &mut Delta) -> Result<(), ErrorKind> {
        let root = read_json(tape, data, self.limits.depth)?;
        if root.kind() == Kind::Array {
            // A server without `alt=sse` sends all events in one array.
            self.repeatable = false;
            return root.elements().try_for_each(|element| self.response_part(element, Mode::Event, delta));
        }
        self.response_part(root, mode, delta)
    }

    /// Folds a complete response, or the part of a response in an event.
    fn response_part(&mut self, root: Value<'_>, mode: Mode, delta: &mut Delta) -> Result<(), ErrorKind> {
        object(root, "the data")?;
        let (mut candidates, mut error) = (None, None);
        for (key, member) in root.members() {
            match &*key.name() {
                "candidates" => candidates = Some(member).filter(|member| !member.is_null()),
                "usageMetadata" => {
                    if member.kind() == Kind::Object && member.is_truthy() {
                        set_text(&mut self.usage, &member.normalized());
                        self.holes.push(Hole { span: member.span(), target: Target::Usage });
                    }
                }
                "responseId" => take_first(&mut self.id, member),
                "modelVersion" => take_first(&mut self.model, member),
                "error" if member.is_truthy() => error = Some(member),
                name => {
                    if name == "promptFeedback"
                        && let Some(reason) = member.get("blockReason").and_then(block_reason)
                    {
                        self.block_reason = Some(reason);
                    }
                    self.members.merge(name, member, Merge::Latest);
                }
            }
        }
        if candidates.is_none()
            && error.is_none()
            && let Some(error) = stray_error(root)
        {
            return Err(error);
        }
        self.begun |= error.is_none();
        if let Some(candidates) = candidates {
            if candidates.kind() != Kind::Array {
                return Err(ErrorKind::Shape { path: "candidates", expected: "an array" });
            }
            self.candidates.get_or_insert_default();
            let mut first = true;
            for (place, candidate) in candidates.elements().enumerate() {
                object(candidate, "candidates[]")?;
                // Like protobuf, servers omit an index of 0. Some omit every index.
                let index = candidate.get("index").and_then(Value::as_i64);
                let index = index.unwrap_or(if first { 0 } else { place as i64 });
                first &= index != 0;
                self.candidate(index, candidate, mode, delta)?;
            }
        }
        match error {
            Some(error) => Err(provider_error(error)),
            None => Ok(()),
        }
    }

    fn candidate(
        &mut self,
        index: i64,
        value: Value<'_>,
        mode: Mode,
        delta: &mut Delta,
    ) -> Result<(), ErrorKind> {
        let known = self.candidates.get_or_insert_default();
        let position = match known.iter().position(|candidate| candidate.index == index) {
            Some(position) => position,
            None => {
                within(Limit::Choices, known.len() + 1, self.limits.choices)?;
                known.push(Candidate { index, ..Candidate::default() });
                known.len() - 1
            }
        };
        let folded = known[position].fold(value, mode, &self.limits, delta)?;
        self.repeatable &= folded.is_repeatable;
        if let Some(span) = folded.text {
            let target = match folded.call {
                Some(call) => Target::Arguments(position, call),
                None => Target::Text(position),
            };
            self.holes.push(Hole { span, target });
        }
        Ok(())
    }
}

fn within(limit: Limit, value: usize, max: usize) -> Result<(), ErrorKind> {
    if value > max { Err(ErrorKind::Limit { limit, max }) } else { Ok(()) }
}

/// Checks that a value is an object.
fn object(value: Value<'_>, path: &'static str) -> Result<(), ErrorKind> {
    if value.kind() == Kind::Object { Ok(()) } else { Err(ErrorKind::Shape { path, expected: "an object" }) }
}

fn set_text(known: &mut Option<String>, text: &str) {
    let known = known.get_or_insert_default();
    known.clear();
    known.push_str(text);
}

/// Returns a value of an enumeration, which some servers send as its protobuf number. The first number means none.
fn word(value: Value<'_>, numbered: &[&str]) -> Option<String> {
    match value.as_i64() {
        Some(0) => None,
        Some(number) => {
            let known = usize::try_from(number).ok().and_then(|number| numbered.get(number - 1));
            Some(known.map_or_else(|| number.to_string(), |known| (*known).to_owned()))
        }
        None => value.as_str().filter(|word| !word.is_empty()).map(|word| word.into_owned()),
    }
}

fn block_reason(value: Value<'_>) -> Option<String> {
    word(value, &["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT"])
        .filter(|reason| reason != "BLOCK_REASON_UNSPECIFIED" && reason != "BLOCKED_REASON_UNSPECIFIED")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns whether the second event is read as a variation of the first. The public API shows the result of both,
    /// but
    /// not whether the shortcut was used.
    fn varies(first: &str, second: &str) -> bool {
        let mut state = State::new(Limits::default());
        let (mut tape, mut delta) = (Tape::default(), Delta::default());
        let open =
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}"#;
        if first.contains("partialArgs") {
            state.event(&mut tape, open, &mut delta).unwrap();
        }
        state.event(&mut tape, first, &mut delta).unwrap();
        state.repeat.vary(second).is_some()
    }

    #[test]
    fn the_events_that_make_up_a_stream_are_variations_of_each_other() {
        for event in [
            r#"{"candidates":[{"content":{"parts":[{"text":"@"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":#,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9}]},"responseId":"r"}"#,
            r#"{"usageMetadata":{"candidatesTokenCount":#,"x":0.25},"candidates":[{"content":{"parts":[{"text":"@"}]},"safetyRatings":[{"a":1}],"groundingMetadata":{}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a.b","stringValue":"@","willContinue":true}],"willContinue":true}}]}}],"usageMetadata":{"candidatesTokenCount":#}}"#,
            "{\n \"candidates\": [\n {\"content\": {\"parts\": [ {\"text\": \"@\", \"thought\": true} ]} } ]\n}",
            r#"{"candidates":[{"content":{"parts":[{"text":"@"}]}},{"index":1,"content":{"parts":[{"text":"@"}]}}]}"#,
        ] {
            let first = event.replace('@', "a").replace('#', "9");
            let second = event.replace('@', r#"\"longer\" é"#).replace('#', "10");
            assert!(varies(&first, &second), "{event}");
            assert!(!varies(&first, &event.replace('@', "\"").replace('#', "10")), "no JSON: {event}");
            if event.contains('#') {
                for count in ["", "09", "-1", "1.5", "null"] {
                    let other = event.replace('@', "a").replace('#', count);
                    assert!(!varies(&first, &other), "{other}");
                }
            }
        }
    }

    #[test]
    fn events_that_do_more_than_add_text_are_none() {
        for event in [
            r#"{"candidates":[{"content":{"parts":[{"text":"@"}]},"finishReason":"STOP"}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"@","thoughtSignature":"s"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"@"},{"text":"b","thought":true}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"@"},{"functionCall":{"name":"f"}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"@"}]},"logprobsResult":{"chosenCandidates":[1]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"@"}]},"citationMetadata":{"citations":[1]}}]}"#,
            r#"[{"candidates":[{"content":{"parts":[{"text":"@"}]}}]}]"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a","stringValue":"@","willContinue":true}],"willContinue":true}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"@"}],"willContinue":true}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"@","willContinue":true}]}}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"@","willContinue":true},{"jsonPath":"$.n","numberValue":1}],"willContinue":true}}]}}]}"#,
        ] {
            assert!(!varies(&event.replace('@', "a"), &event.replace('@', "b")), "{event}");
        }
    }
}
