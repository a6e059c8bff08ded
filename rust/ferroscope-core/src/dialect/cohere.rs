//! Cohere's chat, version 2.
//!
//! `https://docs.cohere.com/v2/docs/streaming`. A stream is folded into the body that the server would have sent for
//! the
//! same request without streaming.
//!
//! The merge rules for members with the same name:
//!
//! - text, thinking, the tool plan and the arguments of a tool call: joined;
//! - citations and log probabilities: added to their lists;
//! - `finish_reason`, `usage` and unknown members: the last value that is not null wins.
//!
//! Content blocks, tool calls and citations have separate indexes, each from 0. Empty lists and an empty plan, which
//! `message-start` always has, are omitted from the folded response, as in the service's own responses. Events after
//! `message-end` are ignored, and so are events of an unknown type.

mod block;
mod response;

use super::repeat::{Hole, RepeatDetector};
use super::{event_error, given, read, stray_error, take_first, within};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Tape, Text, Value};
use crate::limits::Limits;
use crate::tool_call::Buffer;
use crate::tree::{List, Merge, Object};
use block::{Block, Content};

/// Finish reasons after which the arguments of an open tool call are incomplete.
const FAILURES: [&str; 2] = ["ERROR", "TIMEOUT"];

/// The state of a response.
#[derive(Debug, Default)]
pub struct State {
    limits: Limits,
    started: bool,
    complete: bool,
    received: usize,
    id: String,
    model: String,
    finish_reason: Option<String>,
    usage: Option<Usage>,
    logprobs: List,
    /// The other members of the response.
    members: Object,
    blocks: Vec<Block>,
    plan: Plan,
    calls: Vec<Buffer>,
    citations: List,
    /// The other members of the message.
    message_members: Object,
    /// The body of a response without streaming, which is returned unchanged.
    whole: Option<Box<str>>,
    repeat: RepeatDetector<Target>,
    holes: Vec<Hole<Target>>,
}

/// The model's plan for its tool calls.
#[derive(Debug, Default)]
struct Plan {
    text: Text,
    /// The number of content blocks before it.
    after: usize,
}

/// The token counts as JSON text.
#[derive(Debug)]
struct Usage {
    text: Box<str>,
    /// Whether there are no counts. A failed generation has `{}`.
    empty: bool,
}

/// The part of the response that a string of an event extends, by position.
#[derive(Debug, Clone, Copy, Default)]
enum Target {
    #[default]
    Plan,
    Block(usize),
    Call(usize),
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
                self.grow(target, text, delta);
            }
            return Ok(());
        }
        let folded = read(tape, data, self.limits.depth).and_then(|root| self.fold(root, delta));
        let template = (!self.holes.is_empty() && folded.is_ok()).then_some(data);
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
        if let Some(error) = error_of(root) {
            return Err(error);
        }
        let Some(message) = root.get("message").filter(|message| message.kind() == Kind::Object) else {
            return Err(ErrorKind::Shape { path: "message", expected: "an object" });
        };
        for (key, member) in root.members() {
            self.set(&key.name(), member);
        }
        self.message(message, delta)?;
        self.end(delta);
        self.whole = Some(root.normalized().into());
        Ok(())
    }

    /// Ends the stream. Half of a surrogate pair at the end of a text becomes U+FFFD.
    ///
    /// Open tool calls stay incomplete, because only `message-end` shows whether they are usable.
    pub fn finish(&mut self, delta: &mut Delta) {
        self.blocks.iter_mut().for_each(|block| block.finish(delta));
        self.plan.text.finish();
        for (position, call) in self.calls.iter_mut().enumerate() {
            call.finish(Some(position), delta);
        }
    }

    /// Returns whether `message-end` has arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns whether the message has begun, but `message-end` has not arrived.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.started && !self.complete
    }

    fn receive(&mut self, data: &str) -> Result<(), ErrorKind> {
        self.received += data.len();
        within(Limit::ResponseBytes, self.received, self.limits.response_bytes)
    }

    fn fold(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let kind = root.get("type").and_then(Value::as_str);
        match kind.as_deref() {
            Some("content-delta") => self.grow_content(root, delta)?,
            Some("tool-call-delta") => self.grow_call(root, delta)?,
            Some("tool-plan-delta") => self.grow_plan(root)?,
            Some("content-start") => {
                if let Some(content) = part(root, "content")? {
                    self.open(index_of(root), Block::new(content), delta);
                }
            }
            Some("content-end") => {
                if let Some(position) = self.find_block(index_of(root)) {
                    self.blocks[position].finish(delta);
                }
            }
            Some("tool-call-start") => {
                if let Some(call) = part(root, "tool_calls")? {
                    self.begin_call(index_of(root), call, delta)?;
                }
            }
            Some("tool-call-end") => {
                if let Some(position) = self.find_call(index_of(root)) {
                    self.end_call(position, delta);
                }
            }
            Some("citation-start") => {
                if let Some(citation) = message_part(root, "citations") {
                    self.citations.extend(citation);
                }
            }
            Some("message-start") => {
                self.keep(root);
                if let Some(message) = root.get("delta").and_then(|piece| piece.get("message")) {
                    self.message(message, delta)?;
                }
            }
            Some("message-end") => return self.end_message(root, delta),
            _ => return error_of(root).map_or(Ok(()), Err),
        }
        self.started = true;
        Ok(())
    }

    /// Adds a message, complete or at its beginning.
    fn message(&mut self, message: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        for (key, member) in message.members().filter(|(_, member)| !member.is_null()) {
            match &*key.name() {
                "content" => {
                    for (index, block) in elements(member, "message.content")?.enumerate() {
                        self.open(Some(index as i64), Block::new(block), delta);
                    }
                }
                "tool_plan" => self.push_plan(member)?,
                "tool_calls" => {
                    for (index, call) in elements(member, "message.tool_calls")?.enumerate() {
                        self.begin_call(Some(index as i64), call, delta)?;
                    }
                }
                "citations" => self.citations.extend(member),
                name => self.message_members.set_given(name, member),
            }
        }
        Ok(())
    }

    /// `message-end`
    fn end_message(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        self.keep(root);
        let piece = root.get("delta");
        for (key, member) in piece.into_iter().flat_map(Value::members) {
            self.set(&key.name(), member);
        }
        self.end(delta);
        match piece.and_then(|piece| piece.get("error")).filter(|error| error.is_truthy()) {
            Some(error) => Err(event_error(error, root)),
            None => Ok(()),
        }
    }

    /// Ends the message. Open tool calls are complete, unless the generation failed.
    fn end(&mut self, delta: &mut Delta) {
        self.finish(delta);
        self.complete = true;
        if self.finish_reason.as_deref().is_some_and(|reason| FAILURES.contains(&reason)) {
            return;
        }
        for (position, call) in self.calls.iter_mut().enumerate() {
            call.fill("{}", Some(position), delta);
            call.deliver(Some(position), delta);
        }
    }

    /// Stores the members of an event that belong to the response.
    fn keep(&mut self, root: Value<'_>) {
        for (key, member) in root.members() {
            if !["type", "index", "delta"].iter().any(|known| key.is(known)) {
                self.set(&key.name(), member);
            }
        }
    }

    /// Sets a member of the response.
    fn set(&mut self, name: &str, value: Value<'_>) {
        match name {
            "id" => take_first(&mut self.id, value),
            "model" => take_first(&mut self.model, value),
            "finish_reason" => {
                if let Some(reason) = given(Some(value)) {
                    self.finish_reason = Some(reason.into_owned());
                }
            }
            "usage" => {
                if !value.is_null() {
                    self.usage = Some(Usage { text: value.normalized().into(), empty: !value.is_truthy() });
                }
            }
            "logprobs" => {
                if !value.is_null() {
                    self.logprobs.extend(value);
                }
            }
            // The message is folded member by member, and the error becomes an error of the stream.
            "message" | "error" => {}
            _ => self.members.set_given(name, value),
        }
    }

    fn open(&mut self, index: Option<i64>, mut block: Block, delta: &mut Delta) -> usize {
        self.complete_ended_calls(delta);
        block.index = index.unwrap_or(self.blocks.len() as i64);
        if let Content::Text(text) = &block.content {
            delta.text.push_str(&text.value);
        }
        self.blocks.push(block);
        self.blocks.len() - 1
    }

    /// Returns the content block of an event: the latest block with its index.
    fn find_block(&self, index: Option<i64>) -> Option<usize> {
        match index {
            Some(index) => self.blocks.iter().rposition(|block| block.index == index),
            None => self.blocks.len().checked_sub(1),
        }
    }

    /// Returns the tool call of an event: the latest call with its index.
    fn find_call(&self, index: Option<i64>) -> Option<usize> {
        match index {
            Some(_) => self.calls.iter().rposition(|call| call.index() == index),
            None => self.calls.len().checked_sub(1),
        }
    }

    /// `content-delta`
    fn grow_content(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let Some(content) = part(root, "content")? else { return Ok(()) };
        let index = index_of(root);
        let position = match self.find_block(index) {
            Some(position) if self.blocks[position].accepts(content) => position,
            // The event that begins this block is missing.
            _ => self.open(index, Block::of_delta(content), delta),
        };
        let logprobs = root.get("logprobs").filter(|logprobs| !logprobs.is_null());
        if let Some(logprobs) = logprobs {
            self.logprobs.extend(logprobs);
        }
        if let Some(text) = self.blocks[position].take(content) {
            let target = Target::Block(position);
            if logprobs.is_none() && content.members().count() == 1 {
                self.hole(text, target);
            }
            self.grow(target, text.quoted().unwrap_or_default(), delta);
        }
        Ok(())
    }

    /// `tool-plan-delta`
    fn grow_plan(&mut self, root: Value<'_>) -> Result<(), ErrorKind> {
        let Some(plan) = message_part(root, "tool_plan") else { return Ok(()) };
        self.push_plan(plan)?;
        self.hole(plan, Target::Plan);
        Ok(())
    }

    fn push_plan(&mut self, plan: Value<'_>) -> Result<(), ErrorKind> {
        let Some(quoted) = plan.quoted() else {
            return Err(ErrorKind::Shape { path: "message.tool_plan", expected: "a string" });
        };
        if self.plan.text.value.is_empty() {
            self.plan.after = self.blocks.len();
        }
        self.plan.text.push(quoted);
        Ok(())
    }

    /// `tool-call-start`, or a call of a plain body
    fn begin_call(
        &mut self,
        index: Option<i64>,
        value: Value<'_>,
        delta: &mut Delta,
    ) -> Result<(), ErrorKind> {
        within(Limit::ToolCalls, self.calls.len() + 1, self.limits.tool_calls)?;
        self.complete_ended_calls(delta);
        let position = self.calls.len();
        self.calls.push(Buffer::new(index.or(Some(position as i64))));
        self.add_to_call(position, value, delta);
        Ok(())
    }

    /// `tool-call-delta`
    fn grow_call(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let Some(piece) = part(root, "tool_calls")? else { return Ok(()) };
        let Some(position) = self.find_call(index_of(root)) else {
            return Err(ErrorKind::Shape {
                path: "tool-call-delta.index",
                expected: "the index of an open tool call",
            });
        };
        let function = piece.get("function");
        let arguments = function.and_then(|function| function.get("arguments"));
        if let Some(arguments) = arguments.filter(|arguments| arguments.quoted().is_some())
            && piece.members().chain(function.into_iter().flat_map(Value::members)).count() == 2
        {
            self.hole(arguments, Target::Call(position));
        }
        self.add_to_call(position, piece, delta);
        Ok(())
    }

    fn add_to_call(&mut self, position: usize, value: Value<'_>, delta: &mut Delta) {
        let call = &mut self.calls[position];
        for (key, member) in value.members() {
            match &*key.name() {
                "id" => {
                    if let Some(id) = given(Some(member)) {
                        call.id = Some(id.into_owned());
                    }
                }
                "type" => {
                    if let Some(kind) = given(Some(member)) {
                        call.kind = Some(kind.into_owned());
                    }
                }
                "function" => {}
                name => call.extra.merge(name, member, Merge::Latest),
            }
        }
        for (key, member) in value.get("function").into_iter().flat_map(Value::members) {
            match &*key.name() {
                "name" => call.name.push_str(&member.as_str().unwrap_or_default()),
                "arguments" if member.is_null() => {}
                "arguments" => call.grow_by(Some(position), member, delta),
                name => call.function_extra.merge(name, member, Merge::Latest),
            }
        }
    }

    /// `tool-call-end`
    ///
    /// A call with empty or incomplete arguments waits for `message-end`, which shows whether the generation failed. A
    /// call
    /// without arguments is complete when another call begins.
    fn end_call(&mut self, position: usize, delta: &mut Delta) {
        self.calls[position].end(Some(position), delta);
    }

    /// Completes the calls without arguments when another part follows.
    fn complete_ended_calls(&mut self, delta: &mut Delta) {
        for (position, call) in self.calls.iter_mut().enumerate().filter(|(_, call)| call.is_empty()) {
            call.complete_if_ended("{}", Some(position), delta);
        }
    }

    /// Appends the text between the quotes of a JSON string to the part that it belongs to.
    fn grow(&mut self, target: Target, quoted: &str, delta: &mut Delta) {
        match target {
            Target::Plan => self.plan.text.push(quoted),
            Target::Block(position) => self.blocks[position].grow(quoted, delta),
            Target::Call(position) => self.calls[position].grow(Some(position), quoted, delta),
        }
    }

    /// Records a string that may differ in the next event.
    fn hole(&mut self, value: Value<'_>, target: Target) {
        let span = value.span();
        self.holes.push(Hole { span: span.start + 1..span.end - 1, target });
    }
}

fn index_of(root: Value<'_>) -> Option<i64> {
    root.get("index").and_then(Value::as_i64)
}

/// Returns a member of the message in an event; `None` if it is missing or null.
fn message_part<'a>(root: Value<'a>, name: &str) -> Option<Value<'a>> {
    root.get("delta")?.get("message")?.get(name).filter(|part| !part.is_null())
}

/// Returns a member of the message in an event, which must be an object.
fn part<'a>(root: Value<'a>, name: &'static str) -> Result<Option<Value<'a>>, ErrorKind> {
    match message_part(root, name) {
        Some(part) if part.kind() != Kind::Object => {
            let path = if name == "content" { "delta.message.content" } else { "delta.message.tool_calls" };
            Err(ErrorKind::Shape { path, expected: "an object" })
        }
        part => Ok(part),
    }
}

fn elements<'a>(list: Value<'a>, path: &'static str) -> Result<impl Iterator<Item = Value<'a>>, ErrorKind> {
    if list.kind() != Kind::Array {
        return Err(ErrorKind::Shape { path, expected: "an array" });
    }
    Ok(list.elements())
}

/// Returns the error that an event or a body reports: in `error`, or in a `message` that is a string.
fn error_of(root: Value<'_>) -> Option<ErrorKind> {
    let message = root.get("message").filter(|message| message.quoted().is_some());
    match root.get("error").filter(|error| error.is_truthy()).or(message) {
        Some(error) => Some(event_error(error, root)),
        None => stray_error(root),
    }
}
