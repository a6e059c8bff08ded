//! Takes a model's own events out of what Bedrock's `InvokeModelWithResponseStream` wraps them in.
//!
//! `https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html`. Each
//! message of type `chunk` has one event, as base64 in the member `bytes` of its payload. A message that is an exception
//! or an error ends the stream with it; any other says nothing.

use super::aws_event_stream::{self, Message};
use super::replaced;
use crate::error::{Error, ErrorKind, Place, excerpt};
use crate::json::{Kind, MAX_DEPTH, Tape, Value, write_string};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Incremental decoder: [`feed`](Self::feed) bytes, then [`advance`](Self::advance) from event to event.
#[derive(Debug)]
pub struct Decoder {
    messages: aws_event_stream::Decoder,
    tape: Tape,
    /// The event that `advance` came to, and its place.
    data: Vec<u8>,
    at: Place,
}

impl Decoder {
    /// A decoder for one body whose messages may hold up to `max_message` bytes each.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self {
            messages: aws_event_stream::Decoder::new(max_message),
            tape: Tape::default(),
            data: Vec::new(),
            at: Place::default(),
        }
    }

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.messages.feed(bytes);
    }

    /// Ends the body: a message that is not whole by now is an error.
    pub fn finish(&mut self) {
        self.messages.finish();
    }

    /// Goes to the next event; false until more bytes are fed, or at the end.
    ///
    /// # Errors
    /// As the messages have them, a `chunk` of another shape, or an error that Bedrock reports.
    pub fn advance(&mut self) -> Result<bool, Error> {
        while self.messages.advance()? {
            let message = self.messages.message();
            self.at = message.at;
            let found = match message.string(":message-type") {
                Some(b"exception") => Err(reported(message, ":exception-type", &mut self.tape)),
                Some(b"error") => Err(reported(message, ":error-code", &mut self.tape)),
                _ if message.string(":event-type") == Some(b"chunk") => {
                    read_chunk(message.payload, &mut self.tape, &mut self.data)
                }
                _ => Ok(false),
            };
            if found.map_err(|kind| Error { kind, at: message.at })? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The data of the event that [`advance`](Self::advance) came to.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The number and the beginning of the message that has it.
    #[must_use]
    pub fn at(&self) -> Place {
        self.at
    }

    /// How many messages have been read, those that said nothing included.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.messages.messages()
    }

    /// The number of the last message, and how far the body has been read.
    #[must_use]
    pub fn place(&self) -> Place {
        self.messages.place()
    }
}

/// Decodes the event of a chunk; false if the chunk has none.
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

/// The error that a message reports, whose name has the header `named`.
///
/// Its body is what Anthropic itself sends for an error, as Anthropic's SDK writes it for Bedrock's.
fn reported(message: Message<'_>, named: &str, tape: &mut Tape) -> ErrorKind {
    let header = |name| message.string(name).map(String::from_utf8_lossy);
    let name = header(named).unwrap_or_default();
    let payload = replaced(message.payload);
    let root = tape.read(&payload, MAX_DEPTH).ok().filter(|root| root.kind() == Kind::Object);
    let told =
        root.and_then(|root| root.get("message").or_else(|| root.get("Message"))).and_then(Value::as_str);
    let words = header(":error-message").or(told).unwrap_or_default();

    let mut body = r#"{"type":"error","error":{"type":"#.to_owned();
    write_string(&name, &mut body);
    body.push_str(r#","message":"#);
    write_string(&words, &mut body);
    for (key, value) in root.iter().flat_map(|root| root.members()) {
        if !["type", "message", "Message"].iter().any(|known| key.is(known)) {
            body.push(',');
            write_string(&key.name(), &mut body);
            body.push(':');
            body.push_str(&value.kept());
        }
    }
    body.push_str("}}");
    let said: Vec<_> = [&*name, &*words].into_iter().filter(|part| !part.is_empty()).collect();
    ErrorKind::Provider { message: (!said.is_empty()).then(|| said.join(": ")), body }
}
