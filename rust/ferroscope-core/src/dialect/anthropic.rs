//! Anthropic's messages, as streamed by Anthropic, Bedrock, Vertex AI and Foundry.
//!
//! `https://docs.claude.com/en/docs/build-with-claude/streaming`. A stream is folded into the `message` body that the
//! server would have sent for the same request without streaming.
//!
//! The merge rules for members with the same name:
//!
//! - text, thinking and the JSON of a tool's input: joined; citations: added to the list;
//! - a signature, the content of a compaction: replaced; an unknown kind of delta joins its strings;
//! - the counts of `usage` are totals: each replaces the previous one, and those that `message_delta` omits or sends as
//!   null keep their values from `message_start`, except for `output_tokens: null`, which is unknown;
//! - `stop_reason`, `container` and all other members of `message_delta` and `message_stop`: set on the message.
//!
//! `ping` and unknown events have no effect, as the versioning policy requires. Events after `message_stop` are
//! ignored.

mod block;
mod response;

use super::repeat::{Hole, RepeatDetector};
use super::{read, reported, stated_error, stray_error, take_first, within};
use crate::delta::Delta;
use crate::error::{ErrorKind, Limit};
use crate::json::{Kind, Tape, Text, Value};
use crate::limits::Limits;
use crate::tool_call::Buffer;
use crate::tree::Object;
use block::{Block, Body};

/// The counts of the prompt, which cannot decrease.
///
/// `https://docs.claude.com/en/docs/build-with-claude/streaming`: "token counts ... are cumulative".
const CUMULATIVE: [&str; 3] = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];

/// The state of a response.
#[derive(Debug, Default)]
pub struct State {
    limits: Limits,
    started: bool,
    complete: bool,
    received: usize,
    id: String,
    model: String,
    stop_reason: Option<String>,
    usage: Object,
    /// `usage` as JSON text, written when it changes.
    usage_text: Option<String>,
    /// The contradiction between the counts of different events.
    usage_contradiction: Option<String>,
    /// The other members of the message.
    members: Object,
    blocks: Vec<Block>,
    /// The positions of the blocks that call the caller's tools.
    calls: Vec<usize>,
    repeat: RepeatDetector<Target>,
    holes: Vec<Hole<Target>>,
    /// Whether the first block is the text that the response continues, and no block of its own has begun.
    continues: bool,
    /// The end of that text, which was not sent and which the response may repeat.
    unsent: String,
}

/// The position of the block that a string of an event extends.
#[derive(Debug, Clone, Copy, Default)]
struct Target(usize);

impl State {
    /// Creates an empty response.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Begins with the text of an earlier response, which this response continues.
    ///
    /// The API refuses a text that ends in whitespace, so the request has the text without it. If the response begins
    /// with the same whitespace, it is dropped.
    pub fn begin_with(&mut self, text: &str) {
        let Some(mut block) = Block::of_delta(None, "text_delta") else { return };
        if let Body::Text(own) = &mut block.body {
            own.value.push_str(text);
        }
        text[text.trim_end().len()..].clone_into(&mut self.unsent);
        self.blocks.push(block);
        self.continues = true;
    }

    /// Folds the data of one event, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns an error if the data is not JSON or has another form, if a limit is exceeded, or if the provider reports
    /// one.
    pub fn event(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        if self.complete {
            return Ok(());
        }
        self.receive(data)?;
        if let Some(variation) = self.repeat.vary(data) {
            for (Target(position), text) in variation {
                self.grow(position, text, delta);
            }
            return Ok(());
        }
        let root = read(tape, data, self.limits.depth)?;
        let kind = root.get("type").and_then(Value::as_str);
        match kind.as_deref() {
            Some("ping") => return Ok(()),
            Some("content_block_delta") => self.piece(root, delta)?,
            Some("content_block_start") => self.begin(root, delta)?,
            Some("content_block_stop") => {
                if let Some(position) = self.find(root) {
                    self.close(position, delta);
                }
            }
            Some("message_start") => self.start(root, delta)?,
            Some("message_delta") => {
                self.amend(root);
                if self.stop_reason.is_some() {
                    self.complete_ended_calls(delta);
                }
            }
            Some("message_stop") => {
                self.keep(root);
                self.finish(delta);
                self.complete = true;
            }
            Some("error") => return Err(reported(root)),
            None => return stray_error(root).map_or(Ok(()), Err),
            _ => return stated_error(root).map_or(Ok(()), Err),
        }
        let template = (!self.holes.is_empty()).then_some(data);
        self.repeat.set(template, &mut self.holes);
        Ok(())
    }

    /// Folds the body of a response without streaming, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns the same errors as [`event`](Self::event).
    pub fn body(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        self.receive(data)?;
        let root = read(tape, data, self.limits.depth)?;
        if root.get("error").is_some_and(Value::is_truthy) {
            return Err(reported(root));
        }
        self.message(root, delta)?;
        self.complete_ended_calls(delta);
        self.complete = true;
        Ok(())
    }

    /// Ends the stream. Blocks that are still open end too.
    pub fn finish(&mut self, delta: &mut Delta) {
        for position in 0..self.blocks.len() {
            self.close(position, delta);
        }
        self.complete_ended_calls(delta);
    }

    /// Completes the calls whose blocks have ended.
    fn complete_ended_calls(&mut self, delta: &mut Delta) {
        for (call, &block) in self.calls.iter().enumerate() {
            if let Body::Tool { input, given, .. } = &mut self.blocks[block].body {
                input.complete_if_ended(given, Some(call), delta);
            }
        }
    }

    /// Returns whether `message_stop` has arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns whether the message has begun, but has no stop reason.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.started && !self.complete && self.finish_reasons().next().is_none()
    }

    fn receive(&mut self, data: &str) -> Result<(), ErrorKind> {
        self.received += data.len();
        within(Limit::ResponseBytes, self.received, self.limits.response_bytes)
    }

    /// `message_start`
    fn start(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let Some(message) = root.get("message").filter(|message| message.kind() == Kind::Object) else {
            return Err(ErrorKind::Shape { path: "message_start.message", expected: "an object" });
        };
        if self.started {
            let id = message.get("id").and_then(Value::as_str);
            if id.as_deref() == Some(&self.id) {
                // A proxy repeated the event.
                return Ok(());
            }
            // A proxy restarted with another answer, so the first one will never be finished.
            *self = Self { limits: self.limits, received: self.received, ..Self::default() };
        }
        self.started = true;
        self.message(message, delta)
    }

    /// Adds a message, complete or at its beginning.
    fn message(&mut self, message: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let mut content = None;
        for (key, member) in message.members() {
            match &*key.name() {
                "id" => take_first(&mut self.id, member),
                "model" => take_first(&mut self.model, member),
                "content" => content = Some(member).filter(|content| !content.is_null()),
                "usage" => self.count(member),
                name => self.set(name, member),
            }
        }
        if content.is_some_and(|content| content.kind() != Kind::Array) {
            return Err(ErrorKind::Shape { path: "message.content", expected: "an array" });
        }
        for (index, block) in content.into_iter().flat_map(Value::elements).enumerate() {
            let position = self.open(index as i64, block, delta)?;
            self.close(position, delta);
        }
        Ok(())
    }

    /// `message_delta`
    fn amend(&mut self, root: Value<'_>) {
        for (key, member) in root.get("delta").into_iter().flat_map(Value::members) {
            self.set(&key.name(), member);
        }
        if let Some(usage) = root.get("usage") {
            // The count of `message_start` is that of its first token, so null is not that count but unknown.
            if let Some(unknown) = usage.get("output_tokens").filter(|count| count.is_null()) {
                self.usage.set("output_tokens", unknown);
            }
            self.count(usage);
        }
        self.keep(root);
    }

    /// Stores the other members of an event about the whole message.
    fn keep(&mut self, root: Value<'_>) {
        for (key, member) in root.members() {
            if !["type", "delta", "usage"].iter().any(|known| key.is(known)) {
                self.set(&key.name(), member);
            }
        }
    }

    fn set(&mut self, name: &str, value: Value<'_>) {
        if name == "stop_reason"
            && let Some(reason) = value.as_str()
        {
            self.stop_reason = Some(reason.into_owned());
        }
        self.members.set_given(name, value);
    }

    fn count(&mut self, usage: Value<'_>) {
        if usage.kind() == Kind::Object {
            // If several models ran, this list has their counts, and the totals are those of the last one.
            let one_model = usage.get("iterations").is_none();
            for (key, count) in usage.members() {
                let name = key.name();
                if one_model && CUMULATIVE.contains(&&*name) {
                    self.check_count(&name, count);
                }
                self.usage.set_given(&name, count);
            }
            let text = self.usage_text.get_or_insert_default();
            text.clear();
            self.usage.write(text);
        }
    }

    /// Records a count that falls to zero. Counts are cumulative, so one of the two events is wrong.
    fn check_count(&mut self, name: &str, count: Value<'_>) {
        let is_zero = |text: &str| text.parse::<f64>() == Ok(0.0);
        if count.kind() == Kind::Number
            && is_zero(count.raw())
            && let Some(before) = self.usage.raw(name).filter(|before| !is_zero(before))
        {
            self.usage_contradiction =
                Some(format!("message_delta reports {name} 0, and message_start reported {before}"));
        }
    }

    /// `content_block_start`
    fn begin(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let Some(block) = root.get("content_block").filter(|block| block.kind() == Kind::Object) else {
            return Err(ErrorKind::Shape {
                path: "content_block_start.content_block",
                expected: "an object",
            });
        };
        let index = root.get("index").and_then(Value::as_i64).unwrap_or(self.blocks.len() as i64);
        if block.get("type").and_then(Value::as_str).as_deref() == Some("fallback")
            && let Some(model) = block.get("to").and_then(|to| to.get("model")).and_then(Value::as_str)
        {
            // From here on another model answers. The message without streaming would name that model.
            self.model = model.into_owned();
        }
        self.open(index, block, delta).map(|_| ())
    }

    fn open(&mut self, index: i64, value: Value<'_>, delta: &mut Delta) -> Result<usize, ErrorKind> {
        self.complete_ended_calls(delta);
        let mut block = Block::new(index, value);
        let continues = std::mem::take(&mut self.continues);
        match &mut block.body {
            Body::Text(text) => {
                let mut before = 0;
                if continues && let Some(Block { body: Body::Text(earlier), .. }) = self.blocks.pop() {
                    before = earlier.value.len();
                    text.value.insert_str(0, &earlier.value);
                }
                drop_repeated(&mut self.unsent, text, before);
                delta.text.push_str(&text.value[before..]);
            }
            Body::Tool { own: true, .. } => {
                within(Limit::ToolCalls, self.calls.len() + 1, self.limits.tool_calls)?;
                self.calls.push(self.blocks.len());
            }
            _ => {}
        }
        self.blocks.push(block);
        Ok(self.blocks.len() - 1)
    }

    /// Returns the block of an event: the latest block with its index.
    fn find(&self, root: Value<'_>) -> Option<usize> {
        match root.get("index").and_then(Value::as_i64) {
            Some(index) => self.blocks.iter().rposition(|block| block.index == index),
            None => self.blocks.len().checked_sub(1),
        }
    }

    /// `content_block_delta`
    fn piece(&mut self, root: Value<'_>, delta: &mut Delta) -> Result<(), ErrorKind> {
        let Some(piece) = root.get("delta").filter(|piece| piece.kind() == Kind::Object) else {
            return Err(ErrorKind::Shape { path: "content_block_delta.delta", expected: "an object" });
        };
        let kind = piece.get("type").and_then(Value::as_str).unwrap_or_default();
        let position = match self.find(root) {
            Some(position) => position,
            None if self.continues && kind == "text_delta" => 0,
            // Some servers omit the beginning of a text block.
            None => {
                let Some(block) = Block::of_delta(root.get("index").and_then(Value::as_i64), &kind) else {
                    return Err(ErrorKind::Shape {
                        path: "content_block_delta.index",
                        expected: "the index of an open block",
                    });
                };
                self.blocks.push(block);
                self.blocks.len() - 1
            }
        };
        if let Some(text) = self.blocks[position].take(&kind, piece) {
            if text.alone {
                let span = text.value.span();
                self.holes.push(Hole { span: span.start + 1..span.end - 1, target: Target(position) });
            }
            self.grow(position, text.value.quoted().unwrap_or_default(), delta);
        }
        Ok(())
    }

    /// Appends the text between the quotes of a JSON string to the block's text, thinking or input.
    fn grow(&mut self, position: usize, quoted: &str, delta: &mut Delta) {
        match &mut self.blocks[position].body {
            Body::Text(text) => {
                let before = text.value.len();
                text.push(quoted);
                drop_repeated(&mut self.unsent, text, before);
                delta.text.push_str(&text.value[before..]);
            }
            Body::Thinking(text) => text.push(quoted),
            Body::Tool { input, .. } => {
                let call = self.calls.iter().rposition(|&block| block == position);
                input.grow(call, quoted, delta);
            }
            Body::Other | Body::Raw(_) => {}
        }
    }

    /// Ends a block. Half of a surrogate pair becomes U+FFFD, and a tool call is complete.
    fn close(&mut self, position: usize, delta: &mut Delta) {
        let call = self.calls.iter().rposition(|&block| block == position);
        match &mut self.blocks[position].body {
            Body::Text(text) => {
                let before = text.value.len();
                text.finish();
                delta.text.push_str(&text.value[before..]);
            }
            Body::Thinking(text) => text.finish(),
            Body::Tool { input, given, .. } if given.len() > 2 => {
                // Without any text, the input is the one in `content_block_start`.
                input.fill(given, call, delta);
                input.end(call, delta);
            }
            Body::Tool { input, .. } => input.end(call, delta),
            Body::Other | Body::Raw(_) => {}
        }
    }

    fn input(&self, block: usize) -> Option<&Buffer> {
        match &self.blocks.get(block)?.body {
            Body::Tool { input, .. } => Some(input),
            _ => None,
        }
    }
}

/// Removes the part of the text from `before` on that repeats `unsent`, whitespace that was received earlier.
fn drop_repeated(unsent: &mut String, text: &mut Text, before: usize) {
    let added = &text.value[before..];
    if unsent.is_empty() || added.is_empty() {
        return;
    }
    let pairs = added.chars().zip(unsent.chars());
    let same: usize = pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    if same < added.len() {
        unsent.clear();
    } else {
        unsent.drain(..same);
    }
    text.value.replace_range(before..before + same, "");
}
