//! Wire formats: what the events of a provider say. One format a file; a difference of value is a quirk.

pub mod anthropic;
pub mod bedrock_converse;
pub mod cohere;
pub mod gemini;
pub mod openai_chat;
pub mod openai_responses;
mod repeat;

use crate::delta::Delta;
use crate::error::{ErrorKind, JsonProblem, Limit, excerpt};
use crate::framing::Framing;
use crate::framing::bedrock_stream::Payload;
use crate::json::{Kind, MAX_DEPTH, Tape, Value};
use crate::limits::Limits;
use crate::message::{Message, ToolCall};
use crate::partial_json::{Document, Rules};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Which wire format a stream has, and what its server does differently in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// OpenAI's chat completions.
    OpenaiChat(openai_chat::Quirks),
    /// Anthropic's messages.
    Anthropic,
    /// Bedrock's Converse.
    BedrockConverse,
    /// Cohere's chat, version 2.
    Cohere,
    /// OpenAI's Responses API.
    OpenaiResponses,
    /// Gemini's `streamGenerateContent`.
    Gemini,
}

impl Format {
    /// The names of all formats.
    pub const NAMES: &[&str] =
        &["anthropic", "bedrock_converse", "cohere", "gemini", "openai_chat", "openai_responses"];

    /// The format of a name; the quirks are for the one that has some.
    #[must_use]
    pub fn named(name: &str, quirks: openai_chat::Quirks) -> Option<Self> {
        Some(match name {
            "anthropic" => Self::Anthropic,
            "bedrock_converse" => Self::BedrockConverse,
            "cohere" => Self::Cohere,
            "gemini" => Self::Gemini,
            "openai_chat" => Self::OpenaiChat(quirks),
            "openai_responses" => Self::OpenaiResponses,
            _ => return None,
        })
    }
}

impl From<openai_chat::Quirks> for Format {
    fn from(quirks: openai_chat::Quirks) -> Self {
        Self::OpenaiChat(quirks)
    }
}

/// A response, growing, in one of the formats.
#[derive(Debug)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI's chat completions.
    OpenaiChat(Box<openai_chat::State>),
    /// Anthropic's messages.
    Anthropic(Box<anthropic::State>),
    /// Bedrock's Converse.
    BedrockConverse(Box<bedrock_converse::State>),
    /// Cohere's chat, version 2.
    Cohere(Box<cohere::State>),
    /// OpenAI's Responses API.
    OpenaiResponses(Box<openai_responses::State>),
    /// Gemini's `streamGenerateContent`.
    Gemini(Box<gemini::State>),
}

/// Calls the same method of whichever format it is.
macro_rules! each {
    ($dialect:expr, $state:ident => $call:expr) => {
        match $dialect {
            Dialect::OpenaiChat($state) => $call,
            Dialect::Anthropic($state) => $call,
            Dialect::BedrockConverse($state) => $call,
            Dialect::Cohere($state) => $call,
            Dialect::OpenaiResponses($state) => $call,
            Dialect::Gemini($state) => $call,
        }
    };
}

impl Dialect {
    /// A response without a word yet.
    #[must_use]
    pub fn new(format: Format, limits: Limits) -> Self {
        match format {
            Format::OpenaiChat(quirks) => Self::OpenaiChat(Box::new(openai_chat::State::new(quirks, limits))),
            Format::Anthropic => Self::Anthropic(Box::new(anthropic::State::new(limits))),
            Format::BedrockConverse => Self::BedrockConverse(Box::new(bedrock_converse::State::new(limits))),
            Format::Cohere => Self::Cohere(Box::new(cohere::State::new(limits))),
            Format::OpenaiResponses => Self::OpenaiResponses(Box::new(openai_responses::State::new(limits))),
            Format::Gemini => Self::Gemini(Box::new(gemini::State::new(limits))),
        }
    }

    /// How a body of this format is usually cut into events.
    #[must_use]
    pub fn usual_framing(&self) -> Framing {
        match self {
            Self::BedrockConverse(_) => Framing::AwsEventStream,
            _ => Framing::Sse,
        }
    }

    /// What the messages of AWS's event stream carry in this format.
    pub(crate) fn payload(&self) -> Payload {
        match self {
            Self::BedrockConverse(_) => Payload::Event,
            _ => Payload::Chunk,
        }
    }

    /// Folds the data of one event and says what it added.
    ///
    /// # Errors
    /// Data that is not JSON or has another shape, a limit, or an error that the provider reports. What the
    /// event held beside such an error has been folded.
    pub fn event(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        each!(self, state => state.event(tape, data, delta))
    }

    /// Folds a plain body, as it comes without streaming, and says what it added.
    ///
    /// # Errors
    /// As for [`event`](Self::event).
    pub fn body(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        each!(self, state => state.body(tape, data, delta))
    }

    /// Ends the stream: tool calls that still waited for more are complete now.
    pub fn finish(&mut self, delta: &mut Delta) {
        each!(self, state => state.finish(delta));
    }

    /// Whether an event has said that it was the last of the response.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            // Its terminator is no event: `[DONE]`.
            Self::OpenaiChat(_) => false,
            Self::Anthropic(state) => state.is_complete(),
            Self::BedrockConverse(state) => state.is_complete(),
            Self::Cohere(state) => state.is_complete(),
            Self::OpenaiResponses(state) => state.is_complete(),
            // Its terminator is the end of the body.
            Self::Gemini(_) => false,
        }
    }

    /// Whether the response has begun, and has to say that it ended, and has not.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        match self {
            // Its terminator is no event, and may be all that reports the end.
            Self::OpenaiChat(_) => false,
            Self::Anthropic(state) => state.is_unfinished(),
            Self::BedrockConverse(state) => state.is_unfinished(),
            Self::Cohere(state) => state.is_unfinished(),
            Self::OpenaiResponses(state) => state.is_unfinished(),
            Self::Gemini(state) => state.is_unfinished(),
        }
    }

    /// Whether `events` of a body without a terminator have not reported the end, not even by an answer.
    #[must_use]
    pub fn is_unreported(&self, events: u64) -> bool {
        match self {
            Self::OpenaiChat(state) => state.is_unreported(),
            _ => events == 0,
        }
    }

    /// The response so far, as the body that the provider would have sent without streaming, JSON text.
    #[must_use]
    pub fn response(&self) -> String {
        each!(self, state => state.response())
    }

    /// The same as a message.
    #[must_use]
    pub fn message_so_far(&self) -> Message<'_> {
        each!(self, state => state.message_so_far())
    }

    /// The provider's id of the response; empty while it has given none.
    #[must_use]
    pub fn id(&self) -> &str {
        each!(self, state => state.id())
    }

    /// The model that answers; empty while the provider has not said.
    #[must_use]
    pub fn model(&self) -> &str {
        each!(self, state => state.model())
    }

    /// The provider's account of the tokens, JSON text.
    #[must_use]
    pub fn usage(&self) -> Option<&str> {
        each!(self, state => state.usage())
    }

    /// Why the counts that the events reported contradict each other; `None` if they do not.
    #[must_use]
    pub fn usage_contradiction(&self) -> Option<&str> {
        match self {
            Self::Anthropic(state) => state.usage_contradiction(),
            // Each report of the usage replaces the one before.
            _ => None,
        }
    }

    /// Why each choice ended, in the order of the choices.
    #[must_use]
    pub fn finish_reasons(&self) -> Vec<&str> {
        each!(self, state => state.finish_reasons().collect())
    }

    /// The tool calls so far.
    #[must_use]
    pub fn tool_calls(&self) -> Vec<ToolCall<'_>> {
        match self {
            Self::OpenaiChat(state) => state.tool_calls().iter().map(ToolCall::from).collect(),
            Self::Anthropic(state) => state.tool_calls().map(ToolCall::from).collect(),
            Self::BedrockConverse(state) => state.tool_calls().map(ToolCall::from).collect(),
            Self::Cohere(state) => state.tool_calls().iter().map(ToolCall::from).collect(),
            Self::OpenaiResponses(state) => state.tool_calls().collect(),
            Self::Gemini(state) => state.tool_calls().map(ToolCall::from).collect(),
        }
    }

    /// The sequence number of the latest event that has one; None in formats without them.
    #[must_use]
    pub fn sequence_number(&self) -> Option<u64> {
        match self {
            Self::OpenaiResponses(state) => state.sequence_number(),
            _ => None,
        }
    }

    /// The tool calls, by position, that the end of the response cut off although their arguments may be closed.
    ///
    /// Only formats that report this have any. In the others the arguments alone show it.
    #[must_use]
    pub fn cut_calls(&self) -> Vec<usize> {
        match self {
            Self::OpenaiResponses(state) => state.cut_calls(),
            _ => Vec::new(),
        }
    }

    /// The tool call at that position, as a [`Delta`] names it.
    #[must_use]
    pub fn tool_call(&self, position: usize) -> Option<ToolCall<'_>> {
        match self {
            Self::OpenaiChat(state) => state.tool_calls().get(position).map(ToolCall::from),
            Self::Anthropic(state) => state.tool_call(position).map(ToolCall::from),
            Self::BedrockConverse(state) => state.tool_call(position).map(ToolCall::from),
            Self::Cohere(state) => state.tool_calls().get(position).map(ToolCall::from),
            Self::OpenaiResponses(state) => state.tool_call(position),
            Self::Gemini(state) => state.tool_call(position).map(ToolCall::from),
        }
    }
}

/// Reads the data of an event or a body as JSON.
fn read_json<'t>(tape: &'t mut Tape, data: &'t str, depth: usize) -> Result<Value<'t>, ErrorKind> {
    tape.read(data, depth).map_err(|found| match found.problem {
        JsonProblem::Depth => ErrorKind::Limit { limit: Limit::Depth, max: depth.min(MAX_DEPTH) },
        problem => ErrorKind::Json { problem, byte: found.byte, excerpt: excerpt(data.as_bytes()) },
    })
}

/// The same, where the data has to be an object.
fn read<'t>(tape: &'t mut Tape, data: &'t str, depth: usize) -> Result<Value<'t>, ErrorKind> {
    let root = read_json(tape, data, depth)?;
    if root.kind() == Kind::Object {
        Ok(root)
    } else {
        Err(ErrorKind::Shape { path: "the data", expected: "an object" })
    }
}

/// Checks a value against its limit.
fn within(limit: Limit, value: usize, max: usize) -> Result<(), ErrorKind> {
    if value > max { Err(ErrorKind::Limit { limit, max }) } else { Ok(()) }
}

/// Joins texts, of which there is most often one.
fn join<'a>(mut texts: impl Iterator<Item = &'a str>) -> Cow<'a, str> {
    let mut all = Cow::Borrowed(texts.next().unwrap_or_default());
    for text in texts {
        all += text;
    }
    all
}

/// Joins pieces of base64; a piece that ends in padding cannot simply be followed by the next.
fn join_base64(pieces: &[String]) -> String {
    let joined = pieces.concat();
    if !joined.trim_end_matches('=').contains('=') {
        return joined;
    }
    match pieces.iter().map(|piece| STANDARD.decode(piece)).collect::<Result<Vec<_>, _>>() {
        Ok(pieces) => STANDARD.encode(pieces.concat()),
        Err(_) => joined,
    }
}

/// Appends the input of a tool; of an input that was cut off, what is complete.
fn write_input(text: &str, given: &str, tape: &mut Tape, depth: usize, out: &mut String) {
    if text.trim_ascii().is_empty() {
        out.push_str(given);
    } else if tape.read(text, depth).is_ok() {
        out.push_str(text);
    } else {
        let mut document = Document::new(Rules { max_depth: depth, ..Rules::JITER_ON });
        // What stands before an error is as good as what stands before the cut.
        let _ = document.feed(text.as_bytes());
        out.push_str(document.to_json().as_deref().unwrap_or("{}"));
    }
}

/// A string that says something; some servers number their ids.
fn given(member: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    let member = member?;
    let number = (member.kind() == Kind::Number).then(|| Cow::Borrowed(member.raw()));
    number.or_else(|| member.as_str()).filter(|text| !text.is_empty())
}

/// Sets a name that is not known yet.
fn take_first(known: &mut String, value: Value<'_>) {
    if known.is_empty()
        && let Some(text) = given(Some(value))
    {
        known.push_str(&text);
    }
}

/// The error that an event reports, with all members of the event, such as the id of the request.
fn reported(root: Value<'_>) -> ErrorKind {
    event_error(root.get("error").unwrap_or(root), root)
}

/// The same for an error that is elsewhere in the event.
fn event_error(error: Value<'_>, event: Value<'_>) -> ErrorKind {
    match provider_error(error) {
        ErrorKind::Provider { message, .. } => {
            ErrorKind::Provider { message, body: event.kept().into_owned() }
        }
        other => other,
    }
}

/// The error of an object that is not in its format: `{"error": ...}`, `{"object": "error", ...}`, `{"detail": ...}`.
pub(crate) fn stray_error(root: Value<'_>) -> Option<ErrorKind> {
    stated_error(root).or_else(|| detail_of(root))
}

/// The error of an object that states it as such: `{"error": ...}`, `{"object": "error", ...}`.
fn stated_error(root: Value<'_>) -> Option<ErrorKind> {
    if root.get("error").is_some_and(Value::is_truthy) {
        return Some(reported(root));
    }
    if root.get("object").and_then(Value::as_str).as_deref() == Some("error") {
        return Some(provider_error(root));
    }
    None
}

/// The error that web frameworks report: a text or a list in the member `detail`.
fn detail_of(root: Value<'_>) -> Option<ErrorKind> {
    let detail = root.get("detail").filter(|detail| detail.is_truthy())?;
    match event_error(detail, root) {
        ErrorKind::Provider { message, body } => {
            Some(ErrorKind::Provider { message: message.or_else(|| Some(detail.kept().into_owned())), body })
        }
        other => Some(other),
    }
}

/// The error that an event reports, in one of the shapes in use: an object with a message, or a string.
pub(crate) fn provider_error(error: Value<'_>) -> ErrorKind {
    let message = error.get("message").unwrap_or(error).as_str().filter(|message| !message.is_empty());
    ErrorKind::Provider {
        message: message.map(|message| message.into_owned()),
        body: error.kept().into_owned(),
    }
}
