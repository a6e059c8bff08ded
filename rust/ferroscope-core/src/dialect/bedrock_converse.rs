//! Bedrock's Converse.
//!
//! `https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html`. A stream is folded into
//! the
//! response that `Converse` would have returned for the same request.
//!
//! An event is an object with one member, which is named like the event, as AWS's SDKs return it. The framing converts
//! messages to the same objects. Blobs are base64.
//!
//! The merge rules for members with the same name:
//!
//! - text, reasoning, signatures and the JSON of a tool's input: joined; redacted reasoning and images: their bytes are
//!   joined; citations and tool results: added to their lists;
//! - `stopReason`, `usage`, `metrics`, `trace` and all other members of `messageStop` and `metadata`: set on the
//!   response,
//!   with the last value that is not null;
//! - `p`: dropped, because it is padding.
//!
//! Text and reasoning blocks may begin without `contentBlockStart`. The response is complete with both `messageStop`
//! and
//! `metadata`, in either order. A stream without `metadata` has no usage. Events with an unknown name are ignored.

mod block;
mod response;

use super::repeat::{Hole, RepeatDetector};
use super::{event_error, given, read, reported, stray_error, within};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Tape, Value};
use crate::limits::Limits;
use crate::tree::Object;
use block::{Block, Body};

/// The padding member, which hides the length of an event.
const PADDING: &str = "p";

/// Stop reasons after which the input of an open tool call is incomplete or not JSON.
const FAILURES: [&str; 4] =
    ["malformed_tool_use", "malformed_model_output", "guardrail_intervened", "content_filtered"];

/// The state of a response.
#[derive(Debug, Default)]
pub struct State {
    limits: Limits,
    started: bool,
    /// Whether `messageStop` has arrived.
    stopped: bool,
    /// Whether `metadata` has arrived.
    measured: bool,
    received: usize,
    /// The model that a prompt router chose. Nothing else names the model.
    model: String,
    stop_reason: Option<String>,
    usage: Option<Box<str>>,
    /// The other members of the response.
    members: Object,
    /// The members of the message, without its content.
    message: Object,
    blocks: Vec<Block>,
    /// The positions of the blocks that call the caller's tools.
    calls: Vec<usize>,
    /// The body of a response without streaming, which is returned unchanged.
    whole: Option<Box<str>>,
    repeat: RepeatDetector<Target>,
    holes: Vec<Hole<Target>>,
}

/// The part of the response that a string of an event extends.
#[derive(Debug, Clone, Copy, Default)]
enum Target {
    /// Nothing: padding.
    #[default]
    Nowhere,
    /// The text, reasoning or input of the block at this position.
    Block(usize),
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
        if self.is_complete() {
            return Ok(());
        }
        self.receive(data)?;
        if let Some(variation) = self.repeat.vary(data) {
            for (target, text) in variation {
                if let Target::Block(position) = target {
                    self.grow(position, text, delta);
                }
            }
            return Ok(());
        }
        let folded = read(tape, data, self.limits.depth).and_then(|root| self.fold(root, delta));
        let grows = self.holes.iter().any(|hole| matches!(hole.target, Target::Block(_)));
        let template = (grows && folded.is_ok()).then_some(data);
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
        let Some(output) = root.get("output") else { return Err(error_of(root)) };
        let Some(message) = output.get("message").filter(|message| message.kind() == Kind::Object) else {
            return Err(ErrorKind::Shape { path: "output.message", expected: "an object" });
        };
        let content = message.get("content").filter(|content| !content.is_null());
        if content.is_some_and(|content| content.kind() != Kind::Array) {
            return Err(ErrorKind::Shape { path: "output.message.content", expected: "an array" });
        }
        for block in content.into_iter().flat_map(Value::elements) {
            let position = self.open(None, Body::of_response(block), delta)?;
            let call = self.call_of(position);
            self.blocks[position].fill(block, call, delta);
        }
        self.set_members(root);
        self.stop(delta);
        self.measured = true;
        self.whole = Some(root.normalized().into());
        Ok(())
    }

    /// Ends the stream. Half of a surrogate pair at the end of a text becomes U+FFFD.
    ///
    /// Open tool calls stay incomplete, because only `messageStop` shows whether they are usable.
    pub fn finish(&mut self, delta: &mut Delta) {
        for position in 0..self.blocks.len() {
            let call = self.call_of(position);
            self.blocks[position].finish(call, delta);
        }
    }

    /// Returns whether `messageStop` and `metadata` have arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stopped && self.measured
    }

    /// Returns whether the message has begun, but `messageStop` has not arrived.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.started && !self.stopped
    }

    fn receive(&mut self, data: &str) -> Result<(), ErrorKind> {
        self.received += data.len();
        within(Limit::ResponseBytes, self.received, self.limits.response_bytes)
    }

    fn fold(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        for (key, event) in root.members() {
            match &*key.name() {
                "contentBlockDelta" => self.add(event, delta)?,
                "contentBlockStart" => self.begin(event, delta)?,
                "contentBlockStop" => {
                    if let Some(position) = self.find(index_of(event)) {
                        let call = self.call_of(position);
                        self.blocks[position].end(call, delta);
                    }
                }
                "messageStart" => {
                    for (key, member) in event.members() {
                        if !key.is(PADDING) && !key.is("content") {
                            self.message.set_given(&key.name(), member);
                        }
                    }
                }
                "messageStop" => {
                    self.set_members(event);
                    self.stop(delta);
                }
                "metadata" => {
                    self.set_members(event);
                    self.measured = true;
                }
                name if name.ends_with("Exception") => {
                    return Err(ErrorKind::exception(name, None, Some(event)));
                }
                "error" if event.is_truthy() => return Err(reported(root)),
                "object" | "detail" => match stray_error(root) {
                    Some(error) => return Err(error),
                    None => continue,
                },
                _ => continue,
            }
            self.started = true;
        }
        Ok(())
    }

    /// Sets members of the response.
    fn set_members(&mut self, event: Value<'_>) {
        for (key, member) in event.members().filter(|(_, member)| !member.is_null()) {
            match &*key.name() {
                "stopReason" => self.stop_reason = given(Some(member)).map(|reason| reason.into_owned()),
                "usage" => self.usage = Some(member.normalized().into()),
                // The message is folded block by block.
                PADDING | "output" => {}
                name => {
                    let router = member.get("promptRouter").filter(|_| name == "trace");
                    if let Some(model) = given(router.and_then(|router| router.get("invokedModelId"))) {
                        self.model = model.into_owned();
                    }
                    self.members.set(name, member);
                }
            }
        }
    }

    /// Ends the message. Open tool calls are complete, unless the message was blocked or malformed.
    fn stop(&mut self, delta: &mut Delta) {
        self.stopped = true;
        self.finish(delta);
        if self.stop_reason.as_deref().is_some_and(|reason| FAILURES.contains(&reason)) {
            return;
        }
        for (position, &block) in self.calls.iter().enumerate() {
            if let Body::Tool { input, .. } = &mut self.blocks[block].body {
                input.fill("{}", Some(position), delta);
                input.deliver(Some(position), delta);
            }
        }
    }

    /// `contentBlockStart`
    fn begin(&mut self, event: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let start = event.get("start").filter(|start| !start.is_null());
        if start.is_some_and(|start| start.kind() != Kind::Object) {
            return Err(ErrorKind::Shape { path: "contentBlockStart.start", expected: "an object" });
        }
        let index = index_of(event);
        let position = self.open(index, Body::of_start(start), delta)?;
        if matches!(self.blocks[position].body, Body::Empty) {
            for (key, member) in start.into_iter().flat_map(Value::members) {
                self.add_part(index, &key.name(), member, delta)?;
            }
        }
        Ok(())
    }

    fn open(&mut self, index: Option<i64>, body: Body, delta: &mut Delta) -> Result<usize, ErrorKind> {
        // Calls without input are complete when another block follows.
        for (call, &block) in self.calls.iter().enumerate() {
            if let Body::Tool { input, .. } = &mut self.blocks[block].body
                && input.is_empty()
            {
                input.complete_if_ended("{}", Some(call), delta);
            }
        }
        let position = self.blocks.len();
        if matches!(body, Body::Tool { own: true, .. }) {
            within(Limit::ToolCalls, self.calls.len() + 1, self.limits.tool_calls)?;
            self.calls.push(position);
        }
        self.blocks.push(Block { index: index.unwrap_or(position as i64), body });
        Ok(position)
    }

    /// Returns the block of an event: the latest block with its index.
    fn find(&self, index: Option<i64>) -> Option<usize> {
        match index {
            Some(index) => self.blocks.iter().rposition(|block| block.index == index),
            None => self.blocks.len().checked_sub(1),
        }
    }

    /// Returns the position of the tool call of a block; `None` if it is not one of the caller's tools.
    fn call_of(&self, position: usize) -> Option<usize> {
        self.calls.iter().rposition(|&block| block == position)
    }

    /// `contentBlockDelta`
    fn add(&mut self, event: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let Some(piece) = event.get("delta").filter(|piece| piece.kind() == Kind::Object) else {
            return Err(ErrorKind::Shape { path: "contentBlockDelta.delta", expected: "an object" });
        };
        let index = index_of(event);
        let alone = piece.members().count() == 1;
        for (key, member) in piece.members().filter(|(_, member)| !member.is_null()) {
            let grown = self.add_part(index, &key.name(), member, delta)?;
            if let Some((position, text)) = grown.filter(|_| alone) {
                self.hole(text, Target::Block(position));
            }
        }
        if let Some(padding) = event.get(PADDING).filter(|padding| padding.quoted().is_some()) {
            self.hole(padding, Target::Nowhere);
        }
        Ok(())
    }

    /// Adds a member of a delta. Returns its string and the block, if the next event may differ only in that string.
    fn add_part<'a>(
        &mut self,
        index: Option<i64>,
        name: &str,
        value: Value<'a>,
        delta: &mut Delta,
    ) -> Result<Option<(usize, Value<'a>)>, ErrorKind> {
        let position = match name {
            "toolUse" => {
                self.find(index).filter(|&found| matches!(self.blocks[found].body, Body::Tool { .. }))
            }
            _ => Some(self.block_for(index, name, delta)?),
        };
        let Some(position) = position else {
            return Err(ErrorKind::Shape {
                path: "contentBlockDelta.contentBlockIndex",
                expected: "the index of an open tool use",
            });
        };
        let (text, alone) = self.blocks[position].take(name, value);
        let Some(text) = text else { return Ok(None) };
        if let Some(quoted) = text.quoted() {
            self.grow(position, quoted, delta);
            return Ok(alone.then_some((position, text)));
        }
        let call = self.call_of(position);
        if let Body::Tool { input, .. } = &mut self.blocks[position].body {
            input.grow_by(call, text, delta);
        }
        Ok(None)
    }

    /// Returns the block with this index for a member of a delta, or a new block if there is none of its kind.
    fn block_for(&mut self, index: Option<i64>, name: &str, delta: &mut Delta) -> Result<usize, ErrorKind> {
        match self.find(index) {
            Some(position) if self.blocks[position].accepts(name) => Ok(position),
            Some(position) if matches!(self.blocks[position].body, Body::Empty) => {
                self.blocks[position].body = Body::of_delta(name);
                Ok(position)
            }
            _ => self.open(index, Body::of_delta(name), delta),
        }
    }

    /// Appends the text between the quotes of a JSON string to the block's text, reasoning or input.
    fn grow(&mut self, position: usize, quoted: &str, delta: &mut Delta) {
        let call = match self.blocks[position].body {
            Body::Tool { .. } => self.call_of(position),
            _ => None,
        };
        self.blocks[position].grow(quoted, call, delta);
    }

    /// Records a string that may differ in the next event.
    fn hole(&mut self, value: Value<'_>, target: Target) {
        let span = value.span();
        self.holes.push(Hole { span: span.start + 1..span.end - 1, target });
    }
}

fn index_of(event: Value<'_>) -> Option<i64> {
    event.get("contentBlockIndex").and_then(Value::as_i64)
}

/// Returns the error in a body that is not a response.
fn error_of(root: Value<'_>) -> ErrorKind {
    let message = root.get("message").or_else(|| root.get("Message"));
    let message = message.filter(|message| message.quoted().is_some());
    match root.get("error").filter(|error| error.is_truthy()).or(message) {
        Some(error) => event_error(error, root),
        None => stray_error(root).unwrap_or(ErrorKind::Shape { path: "output", expected: "an object" }),
    }
}
