//! Framings, which split bytes into events. A framing finds the boundaries of events and does not interpret them.

pub mod aws_event_stream;
pub mod bedrock_stream;
pub mod chunked_body;
pub mod http_chunks;
pub mod json_lines;
pub mod sse;

use crate::error::{Error, Place};
use bedrock_stream::Payload;
use std::borrow::Cow;

/// The framing of events in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// AWS's event stream, as Bedrock uses it.
    AwsEventStream,
    /// JSON objects, in an array or one after another: Gemini's stream without `alt=sse`.
    JsonLines,
}

impl Framing {
    /// All framings with their names.
    pub const NAMED: &[(&str, Framing)] = &[
        ("sse", Framing::Sse),
        ("aws_event_stream", Framing::AwsEventStream),
        ("json_lines", Framing::JsonLines),
    ];

    /// Returns the framing with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Framing> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, framing)| *framing)
    }

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

/// One event, in any framing.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub data: Cow<'a, str>,
    /// The name of the event in the framing; empty if it has none.
    pub name: &'a str,
    pub at: Place,
}

/// An incremental decoder of one of the framings.
#[derive(Debug)]
pub(crate) enum Decoder {
    Sse(sse::Decoder),
    AwsEventStream(bedrock_stream::Decoder),
    JsonLines(json_lines::Decoder),
}

/// Calls the same method of any framing.
macro_rules! each {
    ($decoder:expr, $framing:ident => $call:expr) => {
        match $decoder {
            Decoder::Sse($framing) => $call,
            Decoder::AwsEventStream($framing) => $call,
            Decoder::JsonLines($framing) => $call,
        }
    };
}

impl Decoder {
    /// Creates a decoder of one body. `payload` is for framings whose messages can carry either kind.
    pub fn new(framing: Framing, payload: Payload, max_event: usize) -> Self {
        match framing {
            Framing::Sse => Self::Sse(sse::Decoder::new(max_event)),
            Framing::AwsEventStream => Self::AwsEventStream(bedrock_stream::Decoder::new(payload, max_event)),
            Framing::JsonLines => Self::JsonLines(json_lines::Decoder::new(max_event)),
        }
    }

    pub fn framing(&self) -> Framing {
        match self {
            Self::Sse(_) => Framing::Sse,
            Self::AwsEventStream(_) => Framing::AwsEventStream,
            Self::JsonLines(_) => Framing::JsonLines,
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        each!(self, framing => framing.feed(bytes));
    }

    pub fn finish(&mut self) {
        each!(self, framing => framing.finish());
    }

    pub fn advance(&mut self) -> Result<bool, Error> {
        each!(self, framing => framing.advance())
    }

    pub fn event(&self) -> Event<'_> {
        match self {
            Self::Sse(framing) => {
                let event = framing.event();
                Event { data: event.data, name: event.name, at: event.at }
            }
            Self::AwsEventStream(framing) => {
                Event { data: replaced(framing.data()), name: "", at: framing.at() }
            }
            Self::JsonLines(framing) => Event { data: replaced(framing.data()), name: "", at: framing.at() },
        }
    }

    pub fn data(&self) -> &[u8] {
        each!(self, framing => framing.data())
    }

    /// Returns the data that the framing skipped, which may contain an error.
    pub fn stray(&self) -> Cow<'_, str> {
        match self {
            Self::Sse(framing) => framing.stray(),
            Self::AwsEventStream(_) => Cow::Borrowed(""),
            Self::JsonLines(framing) => framing.stray(),
        }
    }

    pub fn events(&self) -> u64 {
        each!(self, framing => framing.events())
    }

    pub fn place(&self) -> Place {
        each!(self, framing => framing.place())
    }
}

/// Returns bytes as text, with invalid UTF-8 replaced. The check alone is several times faster than the replacement.
fn replaced(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}
