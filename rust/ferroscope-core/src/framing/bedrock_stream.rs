//! Extracts the events from the messages of Bedrock's two streams.
//!
//! - `InvokeModelWithResponseStream` wraps a model's own events. A message of the event type `chunk` has one event, as
//!   base64 in the member `bytes` of its payload. Messages of other types are skipped.
//!   `https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html`
//! - `ConverseStream` names its events in the header `:event-type`. As in AWS's SDKs, an event becomes an object with
//!   the
//!   payload as its only member, under the event's name.
//!   `https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html`
//!
//! In both, an exception or error message ends the stream with an error.

use super::aws_event_stream::{self, Message};
use super::replaced;
use crate::error::{Error, ErrorKind, Place, excerpt};
use crate::json::{Kind, MAX_DEPTH, Tape, write_string};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The content of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// Events of a model's own format, in messages of the type `chunk`.
    Chunk,
    /// Events named by the type of the message.
    Event,
}

/// An incremental decoder: [`feed`](Self::feed) bytes, then [`advance`](Self::advance) from event to event.
#[derive(Debug)]
pub struct Decoder {
    payload: Payload,
    messages: aws_event_stream::Decoder,
    tape: Tape,
    /// The current event.
    data: Vec<u8>,
    at: Place,
}

impl Decoder {
    /// Creates a decoder for one body with messages of up to `max_message` bytes each.
    #[must_use]
    pub fn new(payload: Payload, max_message: usize) -> Self {
        Self {
            payload,
            messages: aws_event_stream::Decoder::new(max_message),
            tape: Tape::default(),
            data: Vec::new(),
            at: Place::default(),
        }
    }

    /// Adds the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.messages.feed(bytes);
    }

    /// Ends the body. An incomplete message is then an error.
    pub fn finish(&mut self) {
        self.messages.finish();
    }

    /// Advances to the next event. Returns `false` until more bytes are fed, or at the end.
    ///
    /// # Errors
    /// Returns the errors of the messages, an error for a malformed `chunk`, or an error that Bedrock reports.
    pub fn advance(&mut self) -> Result<bool, Error> {
        while self.messages.advance()? {
            let message = self.messages.message();
            self.at = message.at;
            let found = match message.string(":message-type") {
                Some(b"exception") => Err(reported(message, ":exception-type", &mut self.tape)),
                Some(b"error") => Err(reported(message, ":error-code", &mut self.tape)),
                _ => match (self.payload, message.string(":event-type")) {
                    (Payload::Chunk, Some(b"chunk")) => {
                        read_chunk(message.payload, &mut self.tape, &mut self.data)
                    }
                    (Payload::Event, Some(name)) => {
                        name_event(name, message.payload, &mut self.data);
                        Ok(true)
                    }
                    _ => Ok(false),
                },
            };
            if found.map_err(|kind| Error { kind, at: message.at })? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the data of the current event.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Returns the number and the position of the message of the current event.
    #[must_use]
    pub fn at(&self) -> Place {
        self.at
    }

    /// Returns the number of messages so far, including those without content.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.messages.messages()
    }

    /// Returns the number of the last message, and the offset up to which the body has been read.
    #[must_use]
    pub fn place(&self) -> Place {
        self.messages.place()
    }
}

/// Decodes the event of a chunk. Returns `false` if the chunk has none.
fn read_chunk(payload: &[u8], tape: &mut Tape, data: &mut Vec<u8>) -> Result<bool, ErrorKind> {
    let text = replaced(payload);
    let root = tape.read(&text, MAX_DEPTH).map_err(|found| ErrorKind::Json {
        problem: found.problem,
        byte: found.byte,
        excerpt: excerpt(payload),
    })?;
    let Some(bytes) = root.get("bytes") else { return Ok(false) };
    data.clear();
    bytes
        .as_str()
        .and_then(|encoded| STANDARD.decode_vec(&*encoded, data).ok())
        .map(|()| true)
        .ok_or(ErrorKind::Shape { path: "bytes", expected: "base64" })
}

/// Writes an event as the member of an object, under its name.
fn name_event(name: &[u8], payload: &[u8], data: &mut Vec<u8>) {
    let mut begin = String::from("{");
    write_string(&replaced(name), &mut begin);
    data.clear();
    data.extend_from_slice(begin.as_bytes());
    data.push(b':');
    data.extend_from_slice(if payload.trim_ascii().is_empty() { b"{}" } else { payload });
    data.push(b'}');
}

/// Returns the error that a message reports. The header `named` has its name.
fn reported(message: Message<'_>, named: &str, tape: &mut Tape) -> ErrorKind {
    let header = |name| message.string(name).map(String::from_utf8_lossy);
    let name = header(named).unwrap_or_default();
    let payload = replaced(message.payload);
    let details = tape.read(&payload, MAX_DEPTH).ok().filter(|root| root.kind() == Kind::Object);
    ErrorKind::exception(&name, header(":error-message").as_deref(), details)
}
