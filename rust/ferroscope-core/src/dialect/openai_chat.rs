//! OpenAI's chat completions, and the many servers with almost the same format.
//!
//! `https://platform.openai.com/docs/api-reference/chat-streaming`. A stream is folded into the `chat.completion` body
//! that
//! the server would have sent for the same request without streaming.
//!
//! The merge rules for members with the same name:
//!
//! - `id`, `model`, `created`: the first value that is not empty (Azure's first chunk has empty ones);
//! - `content`, `refusal`, the reasoning fields, `arguments`, audio: joined;
//! - `usage`, `finish_reason`, `system_fingerprint` and unknown members: the last value that is not null; objects are
//!   merged member by member, lists of indexed objects element by element;
//! - the findings of Azure's content filter: the most severe so far, for each prompt by its index;
//! - `obfuscation`, and Mistral's `p`: dropped, because they are padding.

mod choice;
mod response;

use self::choice::Choice;
use super::repeat::{Hole, RepeatDetector};
use super::{detail_of, given, provider_error, read, take_first, within};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Tape, Value};
use crate::limits::Limits;
use crate::tool_call::{Buffer, Fragment};
use crate::tree::{Merge, Object};

/// The padding members, which hide the length of an event.
const PADDING: [&str; 2] = ["obfuscation", "p"];

/// The members of a response or a choice with a filter's findings about the text so far, or about a part of it.
const FINDINGS: [&str; 2] = ["content_filter_results", "prompt_filter_results"];

/// Returns the merge rule of an unknown member.
fn merge_of(name: &str) -> Merge {
    if FINDINGS.contains(&name) { Merge::Found } else { Merge::Latest }
}

/// The differences of a server with the same format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quirks {
    /// The members of a delta with reasoning, in order of preference. The first one that a message has is its
    /// reasoning.
    pub reasoning: Vec<String>,
    /// A member that contains `usage`, beside or instead of the top level.
    pub usage_in: Option<String>,
    /// Whether a stream reports its end: by a finish reason, by usage or by `[DONE]`.
    pub reports_end: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            reasoning: ["reasoning_content", "reasoning"].map(str::to_owned).to_vec(),
            usage_in: None,
            reports_end: true,
        }
    }
}

/// The state of a response.
#[derive(Debug, Default)]
pub struct State {
    quirks: Quirks,
    limits: Limits,
    id: String,
    model: String,
    created: Option<Box<str>>,
    usage: Option<Box<str>>,
    /// The usage in the member of `Quirks::usage_in` or in a choice, as a fallback for the usual one.
    other_usage: Option<Box<str>>,
    received: usize,
    extra: Object,
    choices: Vec<Choice>,
    rewrites: u64,
    repeat: RepeatDetector<Target>,
    /// Whether the current event can serve as a template for the next one.
    repeatable: bool,
    /// Whether the input is the body of a response without streaming.
    whole: bool,
    holes: Vec<Hole<Target>>,
}

/// The part that a string of an event extends. A choice is given by its position.
#[derive(Debug, Clone, Copy, Default)]
enum Target {
    /// Nothing: padding.
    #[default]
    Nowhere,
    /// The text of the message.
    Content(usize),
    /// The reasoning field with this rank.
    Reasoning(usize, usize),
    /// The arguments of the tool call at this position.
    Arguments(usize, usize),
}

impl State {
    /// Creates an empty response.
    #[must_use]
    pub fn new(quirks: Quirks, limits: Limits) -> Self {
        Self { quirks, limits, ..Self::default() }
    }

    /// Folds the data of one event, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns an error if the data is not JSON or has another form, if a limit is exceeded, or if the provider reports
    /// one. The
    /// rest of an event with a provider's error has been folded.
    pub fn event(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        self.receive(data)?;
        if let Some(variation) = self.repeat.vary(data) {
            for (target, text) in variation {
                self.grow(target, text, delta);
            }
            return Ok(());
        }
        self.repeatable = true;
        let folded = read(tape, data, self.limits.depth).and_then(|root| self.fold(root, delta));
        let template = (self.repeatable && folded.is_ok()).then_some(data);
        self.repeat.set(template, &mut self.holes);
        folded
    }

    /// Folds the body of a response without streaming, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns the same errors as [`event`](Self::event).
    pub fn body(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        self.receive(data)?;
        self.whole = true;
        let folded = read(tape, data, self.limits.depth).and_then(|root| self.fold(root, delta));
        self.repeat.set(None, &mut self.holes);
        self.finish(delta);
        folded
    }

    /// Ends the stream. Tool calls that waited for more text are complete now.
    pub fn finish(&mut self, delta: &mut Delta) {
        for choice in &mut self.choices {
            choice.finish(delta);
            choice.finish_rest();
            choice.complete(delta, |_| true);
        }
    }

    /// Returns whether the stream must report its end, but has not.
    #[must_use]
    pub fn is_unreported(&self) -> bool {
        let ended =
            self.usage().is_some() || self.choices.iter().any(|choice| choice.finish_reason.is_some());
        self.quirks.reports_end && !ended
    }

    fn receive(&mut self, data: &str) -> Result<(), ErrorKind> {
        self.received += data.len();
        within(Limit::ResponseBytes, self.received, self.limits.response_bytes)
    }

    /// Appends the text between the quotes of a JSON string to the part that it belongs to.
    fn grow(&mut self, target: Target, quoted: &str, delta: &mut Delta) {
        match target {
            Target::Nowhere => {}
            Target::Content(choice) => self.choices[choice].push_text(quoted, delta),
            Target::Reasoning(choice, rank) => {
                if let Some(text) = self.choices[choice].message_extra.text_mut(&self.quirks.reasoning[rank])
                {
                    text.push(quoted);
                }
            }
            Target::Arguments(choice, call) => self.choices[choice].push_arguments(call, quoted, delta),
        }
    }

    /// Records a string that may differ in the next event.
    fn hole(&mut self, value: Value<'_>, target: Target) {
        let span = value.span();
        self.holes.push(Hole { span: span.start + 1..span.end - 1, target });
    }

    /// Folds an object in the form of an event, or of a body without streaming.
    fn fold(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let (mut choices, mut error, mut is_error) = (None, None, false);
        for (key, value) in root.members() {
            match &*key.name() {
                "choices" => choices = Some(value),
                "id" => take_first(&mut self.id, value),
                "model" => take_first(&mut self.model, value),
                "object" => is_error = value.as_str().as_deref() == Some("error"),
                "created" => {
                    if self.created.is_none() && value.is_truthy() {
                        self.created = Some(value.normalized().into());
                    }
                }
                "usage" => {
                    if value.is_truthy() {
                        self.usage = Some(value.normalized().into());
                        self.repeatable = false;
                    }
                }
                name if PADDING.contains(&name) && value.quoted().is_some() => {
                    self.hole(value, Target::Nowhere);
                }
                "error" if value.is_truthy() => error = Some(value),
                name => {
                    if self.quirks.usage_in.as_deref() == Some(name)
                        && let Some(usage) = value.get("usage").filter(|usage| usage.is_truthy())
                    {
                        self.other_usage = Some(usage.normalized().into());
                    }
                    if self.quirks.usage_in.as_deref() == Some(name) {
                        error = error.or(value.get("error").filter(|error| error.is_truthy()));
                    }
                    self.extra.merge(name, value, merge_of(name));
                }
            }
        }
        match choices {
            Some(choices) if choices.kind() == Kind::Array => {
                for (position, choice) in choices.elements().enumerate() {
                    self.choice(position, choice, delta)?;
                }
            }
            Some(choices) if !choices.is_null() => {
                return Err(ErrorKind::Shape { path: "choices", expected: "an array" });
            }
            _ => {}
        }
        // Some servers report an error in a choice, or as the whole object.
        let in_choice = || {
            let mut choices = choices.into_iter().flat_map(Value::elements);
            choices.find_map(|choice| choice.get("error").filter(|error| error.is_truthy()))
        };
        if let Some(error) = error.or_else(in_choice).or(is_error.then_some(root)) {
            return Err(provider_error(error));
        }
        let is_part = choices.is_some() || root.get("usage").is_some_and(Value::is_truthy);
        if is_part { Ok(()) } else { detail_of(root).map_or(Ok(()), Err) }
    }

    fn choice(&mut self, place: usize, value: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        if value.kind() != Kind::Object {
            return Err(ErrorKind::Shape { path: "choices[]", expected: "an object" });
        }
        let index = value.get("index").and_then(Value::as_i64).unwrap_or(place as i64);
        let position = match self.choices.iter().position(|choice| choice.index == index) {
            Some(position) => position,
            None => {
                within(Limit::Choices, self.choices.len() + 1, self.limits.choices)?;
                self.choices.push(Choice { index, ..Choice::default() });
                self.choices.len() - 1
            }
        };
        let (mut piece, mut message, mut finish) = (None, None, None);
        for (key, member) in value.members() {
            match &*key.name() {
                "index" => {}
                "delta" => piece = Some(member).filter(|member| member.is_truthy()),
                "message" => message = Some(member).filter(|member| member.is_truthy()),
                "finish_reason" => finish = given(Some(member)),
                "logprobs" => {
                    self.repeatable &= member.is_null();
                    self.choices[position].logprobs(member);
                }
                name => {
                    if name == "usage" && member.is_truthy() {
                        // Moonshot reports usage in the choice (`https://platform.moonshot.ai/docs/api/chat`).
                        self.other_usage = Some(member.normalized().into());
                        self.repeatable = false;
                    }
                    self.choices[position].extra.merge(name, member, merge_of(name));
                }
            }
        }
        // A `message` beside a `delta` repeats it, or all the text so far (Writer, Perplexity).
        if let Some(piece) = if self.whole { message.or(piece) } else { piece.or(message) } {
            self.message(position, piece, delta)?;
        }
        if let Some(finish) = finish {
            self.repeatable = false;
            let choice = &mut self.choices[position];
            choice.finish_reason = Some(finish.into_owned());
            choice.finish(delta);
            // Arguments that are neither empty nor complete may continue after this. The end of the stream decides.
            choice.complete(delta, Buffer::is_empty);
        }
        Ok(())
    }

    fn message(&mut self, position: usize, value: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        if value.kind() != Kind::Object {
            return Err(ErrorKind::Shape { path: "choices[].delta", expected: "an object" });
        }
        let (mut content, mut calls) = (None, None);
        for (key, member) in value.members() {
            let name = &*key.name();
            match name {
                "content" => content = Some(member),
                "tool_calls" => calls = Some(member),
                "role" => {
                    if let Some(role) = given(Some(member)) {
                        self.choices[position].role.get_or_insert_with(|| role.into_owned());
                    }
                }
                "refusal" => {
                    if let Some(quoted) = member.quoted() {
                        self.repeatable = false;
                        self.choices[position].refusal.get_or_insert_default().push(quoted);
                    }
                }
                "audio" if member.kind() == Kind::Object => {
                    self.repeatable = false;
                    self.choices[position].audio.add(member);
                }
                "function_call" if member.kind() == Kind::Object => {
                    self.repeatable = false;
                    self.choices[position].function_call.get_or_insert_default().add(member);
                }
                _ => match self.quirks.reasoning.iter().position(|known| known == name) {
                    Some(rank) => {
                        if member.quoted().is_some() {
                            self.hole(member, Target::Reasoning(position, rank));
                        } else if !member.is_null() {
                            self.rewrites += 1;
                        }
                        self.choices[position].message_extra.join(name, member);
                    }
                    None => {
                        self.repeatable &=
                            !matches!(member.kind(), Kind::Array | Kind::Object) || !member.is_truthy();
                        self.choices[position].message_extra.merge(name, member, Merge::Grow);
                    }
                },
            }
        }
        if let Some(content) = content {
            match content.kind() {
                Kind::Null => {}
                Kind::Plain | Kind::Escaped => {
                    self.hole(content, Target::Content(position));
                    self.choices[position].push_text(content.quoted().unwrap_or_default(), delta);
                }
                Kind::Array => {
                    self.repeatable = false;
                    self.choices[position].push_parts(content, delta);
                }
                _ => {
                    return Err(ErrorKind::Shape {
                        path: "choices[].delta.content",
                        expected: "a string or a list of parts",
                    });
                }
            }
        }
        let Some(calls) = calls else { return Ok(()) };
        match calls.kind() {
            Kind::Array => calls
                .elements()
                .filter(|call| !call.is_null())
                .try_for_each(|call| self.tool_call(position, call, delta)),
            Kind::Object => self.tool_call(position, calls, delta),
            _ if !calls.is_truthy() => Ok(()),
            _ => Err(ErrorKind::Shape { path: "choices[].delta.tool_calls", expected: "a list" }),
        }
    }

    fn tool_call(&mut self, position: usize, value: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        if value.kind() != Kind::Object {
            return Err(ErrorKind::Shape { path: "choices[].delta.tool_calls[]", expected: "an object" });
        }
        let member = |name| value.get(name).filter(|member| !member.is_null());
        let custom = member("custom").filter(|_| member("function").is_none());
        let function = member("function").or(custom);
        let part = |name| function.and_then(|function| function.get(name)).filter(|member| !member.is_null());
        let arguments = part("arguments").or_else(|| part("input"));
        let (id, name, kind) = (given(member("id")), given(part("name")), given(member("type")));
        let fragment = Fragment {
            index: member("index").and_then(Value::as_i64),
            // Mistral sends a missing id as the string "null".
            id: id.as_deref().filter(|id| *id != "null"),
            name: name.as_deref(),
            arguments: arguments.and_then(Value::quoted),
            value: arguments.filter(|arguments| arguments.quoted().is_none()),
        };
        let (call, new) = self.choices[position].calls.route(&fragment);
        if new && call >= self.limits.tool_calls {
            self.choices[position].calls.remove_last();
            return Err(ErrorKind::Limit { limit: Limit::ToolCalls, max: self.limits.tool_calls });
        }
        if new {
            // The new call has no arguments yet, so it is not complete.
            self.choices[position].complete_empty(delta);
        }
        let repeats = !new && fragment.id.is_none() && fragment.name.is_none() && fragment.index.is_some();
        match (arguments, fragment.arguments) {
            (Some(value), Some(quoted)) if repeats => {
                self.hole(value, Target::Arguments(position, call));
                self.choices[position].push_arguments(call, quoted, delta);
            }
            (_, Some(quoted)) => {
                self.repeatable = false;
                self.choices[position].push_arguments(call, quoted, delta);
            }
            (Some(value), None) => {
                self.repeatable = false;
                self.choices[position].push_arguments_value(call, value, delta);
            }
            (None, None) => self.repeatable = false,
        }
        let buffer = &mut self.choices[position].calls.buffers_mut()[call];
        if buffer.kind.is_none() {
            let named = kind.map(|kind| kind.into_owned());
            buffer.kind = named.or_else(|| custom.map(|_| "custom".to_owned()));
        }
        // The index only serves to assemble a call. A body without streaming keeps it.
        let given = ["index", "id", "type", "function", "custom"];
        let given = &given[usize::from(self.whole)..];
        for (key, member) in value.members() {
            if !given.iter().any(|known| key.is(known)) {
                buffer.extra.merge(&key.name(), member, Merge::Latest);
            }
        }
        for (key, member) in function.into_iter().flat_map(Value::members) {
            if !["name", "arguments", "input"].iter().any(|known| key.is(known)) {
                buffer.function_extra.merge(&key.name(), member, Merge::Latest);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns whether the second event is read as a variation of the first. The public API shows the result of both,
    /// but
    /// not whether the shortcut was used.
    fn varies(first: &str, second: &str) -> bool {
        let mut state = State::new(Quirks::default(), Limits::default());
        let (mut tape, mut delta) = (Tape::default(), Delta::default());
        let begin = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]}"#;
        state.event(&mut tape, begin, &mut delta).unwrap();
        state.event(&mut tape, first, &mut delta).unwrap();
        state.repeat.vary(second).is_some()
    }

    #[test]
    fn the_events_that_make_up_a_stream_are_variations_of_each_other() {
        for event in [
            r#"{"id":"x","choices":[{"index":0,"delta":{"content":"@"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"@"}"#,
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"@"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"reasoning_content":"@","content":null}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"reasoning":"@","content":""}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"@"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"@"}},{"index":1,"delta":{"content":"@"}}]}"#,
        ] {
            assert!(varies(&event.replace('@', "a"), &event.replace('@', r#"\"longer\" é"#)), "{event}");
            assert!(!varies(&event.replace('@', "a"), &event.replace('@', "\"")), "no JSON: {event}");
            assert!(!varies(&event.replace('@', "a"), &event.replace("index\":0", "index\":2")), "{event}");
        }
    }

    #[test]
    fn events_that_do_more_than_add_text_are_none() {
        for event in [
            r#"{"choices":[{"index":0,"delta":{"content":"@"},"finish_reason":"stop"}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"@"}}],"usage":{"total_tokens":1}}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"@"},"logprobs":{"content":[]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"@","refusal":"no"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"@","details":[{"index":0}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"@"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"arguments":"@"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"audio":{"data":"@"}}}]}"#,
            r#"{"choices":[]}"#,
        ] {
            assert!(!varies(&event.replace('@', "a"), &event.replace('@', "b")), "{event}");
        }
    }
}
