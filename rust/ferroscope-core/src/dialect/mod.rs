//! Wire formats: what the events of a provider say. One format a file; a difference of value is a quirk.

pub mod anthropic;
pub mod openai_chat;
mod repeat;

use crate::delta::Delta;
use crate::error::{ErrorKind, JsonProblem, Limit, excerpt};
use crate::json::{Kind, MAX_DEPTH, Tape, Value};
use crate::limits::Limits;
use crate::message::{Message, ToolCall};
use std::borrow::Cow;

/// Which wire format a stream has, and what its server does differently in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// OpenAI's chat completions.
    OpenaiChat(openai_chat::Quirks),
    /// Anthropic's messages.
    Anthropic,
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
}

/// Calls the same method of whichever format it is.
macro_rules! each {
    ($dialect:expr, $state:ident => $call:expr) => {
        match $dialect {
            Dialect::OpenaiChat($state) => $call,
            Dialect::Anthropic($state) => $call,
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
        }
    }

    /// Whether the response has begun, and has to say that it ended, and has not.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        match self {
            // Several servers leave the end out.
            Self::OpenaiChat(_) => false,
            Self::Anthropic(state) => state.is_unfinished(),
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
        }
    }

    /// The tool call at that position, as a [`Delta`] names it.
    #[must_use]
    pub fn tool_call(&self, position: usize) -> Option<ToolCall<'_>> {
        match self {
            Self::OpenaiChat(state) => state.tool_calls().get(position),
            Self::Anthropic(state) => state.tool_call(position),
        }
        .map(ToolCall::from)
    }
}

/// Reads the data of an event or a body, which is an object in every format.
fn read<'t>(tape: &'t mut Tape, data: &'t str, depth: usize) -> Result<Value<'t>, ErrorKind> {
    let root = tape.read(data, depth).map_err(|found| match found.problem {
        JsonProblem::Depth => ErrorKind::Limit { limit: Limit::Depth, max: depth.min(MAX_DEPTH) },
        problem => ErrorKind::Json { problem, byte: found.byte, excerpt: excerpt(data.as_bytes()) },
    })?;
    if root.kind() == Kind::Object {
        Ok(root)
    } else {
        Err(ErrorKind::Shape { path: "the data", expected: "an object" })
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

/// The error that an event reports, in one of the shapes in use: an object with a message, or a string.
pub(crate) fn provider_error(error: Value<'_>) -> ErrorKind {
    let message = error.get("message").unwrap_or(error).as_str().filter(|message| !message.is_empty());
    ErrorKind::Provider {
        message: message.map(|message| message.into_owned()),
        body: error.kept().into_owned(),
    }
}
