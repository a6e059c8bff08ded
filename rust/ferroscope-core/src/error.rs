//! The errors of a stream: a kind and a place. The text is created only on demand.

use crate::json::{Value, write_string};
use std::fmt;

/// A place in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Number of the event, from 1; 0 before the first event.
    pub event: u64,
    /// Offset in the body, in bytes, of the event's data, or of the message that contains it.
    pub byte: u64,
}

/// An error of the decoding pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The place of the error.
    pub at: Place,
}

/// The kind of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The data of an event is not JSON.
    Json {
        /// The problem that the scanner found.
        problem: JsonProblem,
        /// Offset inside the event's data, in bytes.
        byte: usize,
        /// The beginning of the data, for the log.
        excerpt: String,
    },
    /// The data of an event is JSON, but not of the wire format's form.
    Shape {
        /// Path of the member, as in `choices[0].delta`.
        path: &'static str,
        /// The expected value.
        expected: &'static str,
    },
    /// The bytes are not a message of a binary framing.
    Frame(FrameProblem),
    /// The body ended before the response did.
    Unfinished,
    /// The body contains no event.
    NotAnEventStream {
        /// The beginning of the body.
        excerpt: String,
    },
    /// The provider reported an error inside the stream.
    Provider {
        /// The provider's message, if it sent one.
        message: Option<String>,
        /// The error member as received, as JSON text.
        body: String,
    },
    /// A limit was exceeded.
    Limit {
        /// The limit.
        limit: Limit,
        /// Its value.
        max: usize,
    },
}

/// The limits of a decoder, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The size of one event, in bytes.
    EventBytes,
    /// The size of the response, in bytes.
    ResponseBytes,
    /// The number of tool calls in one message.
    ToolCalls,
    /// The number of choices in one response.
    Choices,
    /// The nesting depth of JSON.
    Depth,
}

/// The reason why a text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The text ended inside a value.
    UnexpectedEnd,
    /// A byte that is not valid at its position.
    UnexpectedByte(u8),
    /// An invalid escape.
    Escape,
    /// A control character inside a string.
    ControlCharacter,
    /// An invalid number.
    Number,
    /// Text follows the value.
    Trailing,
    /// The text is nested deeper than the limit.
    Depth,
}

/// The reason why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameProblem {
    /// The checksum of the lengths does not match.
    PreludeChecksum,
    /// The checksum of the message does not match.
    MessageChecksum,
    /// The lengths contradict each other or the format.
    Lengths,
    /// A header extends past the end of the headers, or has an unknown type.
    Header,
    /// Two headers have the same name.
    DuplicateHeader,
    /// The body ended inside the message.
    Truncated,
}

impl std::error::Error for Error {}

impl ErrorKind {
    /// Returns the error that a provider names, with the members that describe it.
    ///
    /// Its body has the form of Anthropic's errors, which Anthropic's SDK also uses for errors of Bedrock. The message
    /// is the
    /// given one, or else the member `message` or `Message`.
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
                body.push_str(&value.normalized());
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
            Self::Limit { limit, max } => write!(f, "{limit} exceeds the limit of {max}"),
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

/// Returns the first characters of some bytes, for an error message.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 200;
    let cut = &bytes[..bytes.len().min(SHOWN)];
    let mut text = String::from_utf8_lossy(cut).into_owned();
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}
