//! Wire formats: the meaning of a provider's events. Each format has a file; a difference in a value is a quirk.

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
use crate::text_cursor::Piece;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// The wire format of a stream, with the differences of its server.
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

    /// Returns the format with this name. The quirks apply to the format that has some.
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

/// The state of a response in one of the formats.
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

/// Calls the same method of any format.
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
    /// Creates an empty response.
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

    /// Returns the usual framing of a body of this format.
    #[must_use]
    pub fn usual_framing(&self) -> Framing {
        match self {
            Self::BedrockConverse(_) => Framing::AwsEventStream,
            _ => Framing::Sse,
        }
    }

    /// Returns the kind of payload in the messages of AWS's event stream for this format.
    pub(crate) fn payload(&self) -> Payload {
        match self {
            Self::BedrockConverse(_) => Payload::Event,
            _ => Payload::Chunk,
        }
    }

    /// Begins with the text of an earlier response, which this response continues. Returns whether the format allows
    /// that.
    pub fn begin_with(&mut self, text: &str) -> bool {
        match self {
            Self::Anthropic(state) => state.begin_with(text),
            _ => return false,
        }
        true
    }

    /// Folds the data of one event, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns an error if the data is not JSON or has another form, if a limit is exceeded, or if the provider reports
    /// one. The
    /// rest of an event with a provider's error has been folded.
    pub fn event(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        each!(self, state => state.event(tape, data, delta))
    }

    /// Folds the body of a response without streaming, and reports the change in `delta`.
    ///
    /// # Errors
    /// Returns the same errors as [`event`](Self::event).
    pub fn body(&mut self, tape: &mut Tape, data: &str, delta: &mut Delta) -> Result<(), ErrorKind> {
        each!(self, state => state.body(tape, data, delta))
    }

    /// Ends the stream. Tool calls that waited for more text are complete now.
    pub fn finish(&mut self, delta: &mut Delta) {
        each!(self, state => state.finish(delta));
    }

    /// Returns whether an event has marked itself as the last of the response.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            // Its terminator is not an event: `[DONE]`.
            Self::OpenaiChat(_) => false,
            Self::Anthropic(state) => state.is_complete(),
            Self::BedrockConverse(state) => state.is_complete(),
            Self::Cohere(state) => state.is_complete(),
            Self::OpenaiResponses(state) => state.is_complete(),
            // Its terminator is the end of the body.
            Self::Gemini(_) => false,
        }
    }

    /// Returns whether the response has begun, requires an end event, and has not received it.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        match self {
            // Its terminator is not an event, and may be the only mark of the end.
            Self::OpenaiChat(_) => false,
            Self::Anthropic(state) => state.is_unfinished(),
            Self::BedrockConverse(state) => state.is_unfinished(),
            Self::Cohere(state) => state.is_unfinished(),
            Self::OpenaiResponses(state) => state.is_unfinished(),
            Self::Gemini(state) => state.is_unfinished(),
        }
    }

    /// Returns whether the end is missing after `events` of a body without a terminator. An answer also counts as an
    /// end.
    #[must_use]
    pub fn is_unreported(&self, events: u64) -> bool {
        match self {
            Self::OpenaiChat(state) => state.is_unreported(),
            _ => events == 0,
        }
    }

    /// Returns the response so far as JSON text, in the form of the provider's body without streaming.
    #[must_use]
    pub fn response(&self) -> String {
        each!(self, state => state.response())
    }

    /// Returns the response so far as a message.
    #[must_use]
    pub fn message_so_far(&self) -> Message<'_> {
        each!(self, state => state.message_so_far())
    }

    /// Returns the pieces of the message's text, for a [`TextCursor`](crate::text_cursor::TextCursor).
    #[must_use]
    pub fn text_pieces(&self) -> Vec<Piece<'_>> {
        each!(self, state => state.text_pieces())
    }

    /// Returns the pieces of the message's reasoning.
    #[must_use]
    pub fn reasoning_pieces(&self) -> Vec<Piece<'_>> {
        each!(self, state => state.reasoning_pieces())
    }

    /// Returns the message's reasoning.
    #[must_use]
    pub fn reasoning(&self) -> Cow<'_, str> {
        join(&self.reasoning_pieces())
    }

    /// Returns how often a piece was replaced, or may have been, instead of growing at its end.
    #[must_use]
    pub fn rewrites(&self) -> u64 {
        match self {
            Self::OpenaiChat(state) => state.rewrites(),
            Self::OpenaiResponses(state) => state.rewrites(),
            _ => 0,
        }
    }

    /// Returns the provider's id of the response; empty until it arrives.
    #[must_use]
    pub fn id(&self) -> &str {
        each!(self, state => state.id())
    }

    /// Returns the name of the model; empty until it arrives.
    #[must_use]
    pub fn model(&self) -> &str {
        each!(self, state => state.model())
    }

    /// Returns the provider's usage object as JSON text.
    #[must_use]
    pub fn usage(&self) -> Option<&str> {
        each!(self, state => state.usage())
    }

    /// Returns the contradiction between the counts of different events; `None` if there is none.
    #[must_use]
    pub fn usage_contradiction(&self) -> Option<&str> {
        match self {
            Self::Anthropic(state) => state.usage_contradiction(),
            // Each usage report replaces the previous one.
            _ => None,
        }
    }

    /// Returns the finish reasons of the choices, in the order of the choices.
    #[must_use]
    pub fn finish_reasons(&self) -> Vec<&str> {
        each!(self, state => state.finish_reasons().collect())
    }

    /// Returns the tool calls so far.
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

    /// Returns the sequence number of the latest event with one; `None` in formats without them.
    #[must_use]
    pub fn sequence_number(&self) -> Option<u64> {
        match self {
            Self::OpenaiResponses(state) => state.sequence_number(),
            _ => None,
        }
    }

    /// Returns the positions of the tool calls that the end of the response cut off, even if their arguments are
    /// complete.
    ///
    /// Only some formats report this. In the others, only incomplete arguments show it.
    #[must_use]
    pub fn cut_calls(&self) -> Vec<usize> {
        match self {
            Self::OpenaiResponses(state) => state.cut_calls(),
            _ => Vec::new(),
        }
    }

    /// Returns the tool call at this position, as used in a [`Delta`].
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

/// Parses the data of an event or a body as JSON.
fn read_json<'t>(tape: &'t mut Tape, data: &'t str, depth: usize) -> Result<Value<'t>, ErrorKind> {
    tape.read(data, depth).map_err(|found| match found.problem {
        JsonProblem::Depth => ErrorKind::Limit { limit: Limit::Depth, max: depth.min(MAX_DEPTH) },
        problem => ErrorKind::Json { problem, byte: found.byte, excerpt: excerpt(data.as_bytes()) },
    })
}

/// Parses the data of an event or a body, which must be a JSON object.
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

/// Joins texts. Usually there is only one.
fn join<'a>(pieces: &[Piece<'a>]) -> Cow<'a, str> {
    let mut all = Cow::Borrowed("");
    for (_, text) in pieces {
        all += *text;
    }
    all
}

/// Returns the texts that list elements have, in the order of the list.
fn pieces_of<'a, E: 'a>(
    elements: impl IntoIterator<Item = &'a E>,
    text: impl Fn(&'a E) -> Option<&'a str>,
) -> Vec<Piece<'a>> {
    let numbered = elements.into_iter().enumerate();
    numbered.filter_map(|(position, element)| Some((position as u64, text(element)?))).collect()
}

/// Joins pieces of base64. A piece that ends in padding cannot be concatenated directly.
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

/// Appends the input of a tool. Of an input that was cut off, appends the complete part.
fn write_input(text: &str, given: &str, tape: &mut Tape, depth: usize, out: &mut String) {
    if text.trim_ascii().is_empty() {
        out.push_str(given);
    } else if tape.read(text, depth).is_ok() {
        out.push_str(text);
    } else {
        let mut document = Document::new(Rules { max_depth: depth, ..Rules::JITER_ON });
        // The text before a syntax error is used like the text before a cut.
        let _ = document.feed(text.as_bytes());
        out.push_str(document.to_json().as_deref().unwrap_or("{}"));
    }
}

/// Returns a string that is not empty. Some servers send numbers as ids.
fn given(member: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    let member = member?;
    let number = (member.kind() == Kind::Number).then(|| Cow::Borrowed(member.raw()));
    number.or_else(|| member.as_str()).filter(|text| !text.is_empty())
}

/// Sets a name, unless it is already set.
fn take_first(known: &mut String, value: Value<'_>) {
    if known.is_empty()
        && let Some(text) = given(Some(value))
    {
        known.push_str(&text);
    }
}

/// Returns the error that an event reports, with all members of the event, such as the id of the request.
fn reported(root: Value<'_>) -> ErrorKind {
    event_error(root.get("error").unwrap_or(root), root)
}

/// Returns the error that an event reports in another member, with all members of the event.
fn event_error(error: Value<'_>, event: Value<'_>) -> ErrorKind {
    match provider_error(error) {
        ErrorKind::Provider { message, .. } => {
            ErrorKind::Provider { message, body: event.normalized().into_owned() }
        }
        other => other,
    }
}

/// Returns the error of an object in another format: `{"error": ...}`, `{"object": "error", ...}`, `{"detail": ...}`.
pub(crate) fn stray_error(root: Value<'_>) -> Option<ErrorKind> {
    stated_error(root).or_else(|| detail_of(root))
}

/// Returns the error of an object that is marked as one: `{"error": ...}`, `{"object": "error", ...}`.
fn stated_error(root: Value<'_>) -> Option<ErrorKind> {
    if root.get("error").is_some_and(Value::is_truthy) {
        return Some(reported(root));
    }
    if root.get("object").and_then(Value::as_str).as_deref() == Some("error") {
        return Some(provider_error(root));
    }
    None
}

/// Returns the error of a web framework: a text or a list in the member `detail`.
fn detail_of(root: Value<'_>) -> Option<ErrorKind> {
    let detail = root.get("detail").filter(|detail| detail.is_truthy())?;
    match event_error(detail, root) {
        ErrorKind::Provider { message, body } => Some(ErrorKind::Provider {
            message: message.or_else(|| Some(detail.normalized().into_owned())),
            body,
        }),
        other => Some(other),
    }
}

/// Returns the error that an event reports in one of the usual forms: an object with a message, or a string.
pub(crate) fn provider_error(error: Value<'_>) -> ErrorKind {
    let message = error.get("message").unwrap_or(error).as_str().filter(|message| !message.is_empty());
    ErrorKind::Provider {
        message: message.map(|message| message.into_owned()),
        body: error.normalized().into_owned(),
    }
}
