//! What can go wrong with a stream: a kind and a place. The text is made only when somebody reads it.

use crate::json::{Value, write_string};
use std::fmt;

/// Where in a body something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Number of the event, from 1; 0 before the first event.
    pub event: u64,
    /// Offset in the body, in bytes, at which the event's data begins, or the message that has it.
    pub byte: u64,
}

/// An error of the decoding pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Where.
    pub at: Place,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The data of an event is not JSON.
    Json {
        /// What the scanner expected or found.
        problem: JsonProblem,
        /// Offset inside the event's data, in bytes.
        byte: usize,
        /// The beginning of the data, for the reader of the log.
        excerpt: String,
    },
    /// The data of an event is JSON of another shape than the wire format has.
    Shape {
        /// Path of the member, as in `choices[0].delta`.
        path: &'static str,
        /// What was expected there.
        expected: &'static str,
    },
    /// The bytes are no message of a binary framing.
    Frame(FrameProblem),
    /// The body ended, and the response had not.
    Unfinished,
    /// The body holds no event at all.
    NotAnEventStream {
        /// The beginning of the body.
        excerpt: String,
    },
    /// The provider reported an error inside the stream.
    Provider {
        /// The provider's message, if it gave one.
        message: Option<String>,
        /// The error member as received, JSON text.
        body: String,
    },
    /// A limit was passed.
    Limit {
        /// Which one.
        limit: Limit,
        /// Its value.
        max: usize,
    },
}

/// The limits of a decoder, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of one event.
    EventBytes,
    /// Bytes of the folded response.
    ResponseBytes,
    /// Tool calls of one message.
    ToolCalls,
    /// Choices of one response.
    Choices,
    /// Nesting of JSON.
    Depth,
}

/// Why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonProblem {
    /// It ended in the middle of a value.
    UnexpectedEnd,
    /// A character that cannot stand there.
    UnexpectedByte(u8),
    /// An escape that JSON does not have.
    Escape,
    /// A control character inside a string.
    ControlCharacter,
    /// A number that JSON does not have.
    Number,
    /// Something follows the value.
    Trailing,
    /// It nests deeper than the limit.
    Depth,
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameProblem {
    /// The checksum of its lengths is another.
    PreludeChecksum,
    /// Its checksum is another.
    MessageChecksum,
    /// Its lengths contradict each other, or the format.
    Lengths,
    /// A header reaches past the end of the headers, or has a type that there is not.
    Header,
    /// Two headers have the same name.
    DuplicateHeader,
    /// The body ended inside it.
    Truncated,
}

impl std::error::Error for Error {}

impl ErrorKind {
    /// An error that the provider names, with the members that describe it.
    ///
    /// Its body has the form of Anthropic's errors, which Anthropic's SDK uses for those of Bedrock too. The message is
    /// the given one, or the member `message` or `Message`.
    pub(crate) fn exception(name: &str, message: Option<&str>, details: Option<Value<'_>>) -> Self {
        let member = |name| details.and_then(|details| details.get(name));
        let described = member("message").or_else(|| member("Message")).and_then(Value::as_str);
        let message = message.or(described.as_deref()).unwrap_or_default();
        let mut body = r#"{"type":"error","error":{"type":"#.to_owned();
        write_string(name, &mut body);
        body.push_str(r#","message":"#);
        write_string(message, &mut body);
        for (key, value) in details.into_iter().flat_map(Value::members) {
            if !["type", "message", "Message"].iter().any(|known| key.is(known)) {
                body.push(',');
                write_string(&key.name(), &mut body);
                body.push(':');
                body.push_str(&value.kept());
            }
        }
        body.push_str("}}");
        let parts: Vec<_> = [name, message].into_iter().filter(|part| !part.is_empty()).collect();
        Self::Provider { message: (!parts.is_empty()).then(|| parts.join(": ")), body }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.event > 0 {
            write!(f, "event {} (byte {}): ", self.at.event, self.at.byte)?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { problem, byte, excerpt } => {
                write!(f, "data is not JSON: {problem} at byte {byte} of {excerpt:?}")
            }
            Self::Shape { path, expected } => write!(f, "{path} is not {expected}"),
            Self::Frame(problem) => problem.fmt(f),
            Self::Unfinished => f.write_str("the body ended before the response did"),
            Self::NotAnEventStream { excerpt } => {
                write!(f, "the body is not a stream of events; it begins with {excerpt:?}")
            }
            Self::Provider { message: Some(message), .. } => f.write_str(message),
            Self::Provider { message: None, .. } => f.write_str("an error occurred during streaming"),
            Self::Limit { limit, max } => write!(f, "{limit} passed the limit of {max}"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EventBytes => "the size of an event",
            Self::ResponseBytes => "the size of the response",
            Self::ToolCalls => "the number of tool calls",
            Self::Choices => "the number of choices",
            Self::Depth => "the nesting of JSON",
        })
    }
}

impl fmt::Display for FrameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreludeChecksum => "prelude checksum mismatch",
            Self::MessageChecksum => "message checksum mismatch",
            Self::Lengths => "invalid message length",
            Self::Header => "truncated message headers",
            Self::DuplicateHeader => "duplicate message header",
            Self::Truncated => "the body ended inside a message",
        })
    }
}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedEnd => f.write_str("unexpected end"),
            Self::UnexpectedByte(byte) if byte.is_ascii() => {
                write!(f, "unexpected {:?}", char::from(*byte))
            }
            Self::UnexpectedByte(byte) => write!(f, "unexpected byte {byte:#04x}"),
            Self::Escape => f.write_str("invalid escape"),
            Self::ControlCharacter => f.write_str("control character in a string"),
            Self::Number => f.write_str("invalid number"),
            Self::Trailing => f.write_str("trailing characters"),
            Self::Depth => f.write_str("nested too deeply"),
        }
    }
}

/// The first characters of some bytes, for an error message.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 200;
    let cut = &bytes[..bytes.len().min(SHOWN)];
    let mut text = String::from_utf8_lossy(cut).into_owned();
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}
